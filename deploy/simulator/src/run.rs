//! One seed from its beginning to its end, or one script again.

use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::generate::Generator;
use crate::invariant;
use crate::script::{Op, Script};
use crate::settle;
use crate::stage::Stage;
use crate::world::{Counts, World};

/// What became of a run.
pub struct Ran {
    /// Everything that it needs to happen again.
    pub script: Script,
    /// What did not hold.
    pub violation: Option<String>,
    /// What happened, in numbers.
    pub counts: Counts,
    /// How often an actor stood still.
    pub pauses: u64,
    /// How far the world's clock went.
    pub clock: Duration,
    /// What happened, in words, when asked for.
    pub trace: Vec<String>,
}

/// Runs a seed.
///
/// # Errors
/// The database's: nothing was found out then.
pub async fn seed(stage: &Stage, seed: u64) -> anyhow::Result<Ran> {
    let (mut generator, parameters) = Generator::new(seed, StdRng::seed_from_u64(seed));
    let mut world = World::begin(stage, &parameters).await?;
    let mut ops = Vec::new();
    let mut violation = None;
    while violation.is_none()
        && let Some(op) = generator.next(&world)
    {
        violation = happens(&mut world, &op).await;
        ops.push(op);
    }
    let violation = ends(&mut world, parameters.tombstones, violation).await;
    let script = Script { world: parameters, ops };
    Ok(ran(world, script, violation, generator.pauses))
}

/// Runs a script; with `words`, tells what happens.
///
/// # Errors
/// The database's: nothing was found out then.
pub async fn script(stage: &Stage, script: &Script, words: bool) -> anyhow::Result<Ran> {
    let mut world = World::begin(stage, &script.world).await?;
    world.trace = words.then(Vec::new);
    let mut violation = None;
    let mut ops = Vec::new();
    for op in &script.ops {
        violation = happens(&mut world, op).await;
        ops.push(op.clone());
        if violation.is_some() {
            break;
        }
    }
    let violation = ends(&mut world, script.world.tombstones, violation).await;
    let script = Script { world: script.world.clone(), ops };
    Ok(ran(world, script, violation, 0))
}

async fn happens(world: &mut World<'_>, op: &Op) -> Option<String> {
    let objects = world.bucket.len();
    world.apply(op).await;
    let took_away = world.bucket.len() < objects;
    invariant::always(world, took_away).await.err()
}

async fn ends(
    world: &mut World<'_>,
    tombstones: bool,
    violation: Option<String>,
) -> Option<String> {
    if violation.is_some() {
        return violation;
    }
    at_rest(world, tombstones).await.err()
}

/// Rests, then lives on for as long as the janitors need.
async fn at_rest(world: &mut World<'_>, tombstones: bool) -> Result<(), String> {
    const HOUR: Duration = Duration::from_secs(3600);
    settle::settle(world).await?;
    invariant::at_rest(world).await?;
    settle::live_on(world, 30 * HOUR, 3).await?;
    settle::tidy(world).await?;
    invariant::at_rest(world).await?;
    invariant::after_the_janitor(world).await?;
    if tombstones {
        settle::live_on(world, 24 * 40 * HOUR, 2).await?;
        settle::tidy(world).await?;
        invariant::at_rest(world).await?;
        invariant::after_the_janitor(world).await?;
    }
    Ok(())
}

fn ran(world: World<'_>, script: Script, violation: Option<String>, pauses: u64) -> Ran {
    let (counts, clock) = (world.counts, world.gates.clock());
    let trace = world.trace.unwrap_or_default();
    Ran { script, violation, counts, pauses, clock, trace }
}
