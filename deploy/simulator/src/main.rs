//! `simulate`: runs seeds, and says what happened in them; a seed that fails is shrunk and told with
//! the command that runs it again.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser;
use reelpin_simulator::run::{self as runs, Ran};
use reelpin_simulator::script::Script;
use reelpin_simulator::shrink::shrink;
use reelpin_simulator::stage::Stage;
use reelpin_simulator::total::Total;

/// How long a failing seed is shrunk.
const SHRINK: Duration = Duration::from_secs(60);

/// Runs the engine's steps under seeded schedulers.
#[derive(Parser)]
struct Args {
    /// At least so many seeds.
    #[arg(long, default_value_t = 500)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Goes on with more seeds for so many seconds in all.
    #[arg(long, default_value_t = 0)]
    seconds: u64,
    /// Worlds side by side.
    #[arg(long, default_value_t = 2)]
    threads: u64,
    /// Runs one seed and tells everything that happens.
    #[arg(long)]
    replay: Option<u64>,
    /// Runs a script and tells everything that happens.
    #[arg(long)]
    script: Option<PathBuf>,
    /// Plants a fault, which must be found within the seeds.
    #[cfg(feature = "planted")]
    #[arg(long)]
    bug: Option<String>,
    /// Shrinks the seed that found it, and keeps the script in this file.
    #[cfg(feature = "planted")]
    #[arg(long)]
    keep: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let args = Arc::new(Args::parse());
    if let Some(path) = &args.script {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        return alone(&args, text.parse()?);
    }
    if let Some(seed) = args.replay {
        let ran = on_a_stage(&args, async |stage| runs::seed(stage, seed).await)?;
        return alone(&args, ran.script);
    }
    let found = all(&args)?;
    expected(&args, found)
}

/// Runs what needs a stage, on this thread.
fn on_a_stage<T>(
    args: &Args,
    body: impl AsyncFnOnce(&Stage) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    plant(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { body(&Stage::open().await?).await })
}

/// One script, with everything that happens in it.
fn alone(args: &Args, script: Script) -> anyhow::Result<()> {
    let ran = on_a_stage(args, async |stage| runs::script(stage, &script, true).await)?;
    for line in &ran.trace {
        println!("{line}");
    }
    match ran.violation {
        Some(violation) => anyhow::bail!("violated: {violation}"),
        None => println!("nothing is violated"),
    }
    Ok(())
}

/// A seed that failed.
struct Found {
    seed: u64,
    ran: Ran,
}

/// Runs all seeds; tells what happened in them. Returns the first that failed.
fn all(args: &Arc<Args>) -> anyhow::Result<Option<Found>> {
    let began = Instant::now();
    let next = Arc::new(AtomicU64::new(args.from));
    let total = Arc::new(Mutex::new(Total::default()));
    let found: Arc<Mutex<Option<Found>>> = Arc::default();
    let threads: Vec<_> = (0..args.threads.max(1))
        .map(|_| {
            let (args, next) = (Arc::clone(args), Arc::clone(&next));
            let (total, found) = (Arc::clone(&total), Arc::clone(&found));
            std::thread::spawn(move || {
                let args = &*args;
                on_a_stage(args, async |stage| {
                    let more = |seed| {
                        seed - args.from < args.seeds
                            || began.elapsed() < Duration::from_secs(args.seconds)
                    };
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        let over = found.lock().unwrap_or_else(PoisonError::into_inner).is_some();
                        if over || !more(seed) {
                            return Ok(());
                        }
                        let ran = runs::seed(stage, seed).await?;
                        total.lock().unwrap_or_else(PoisonError::into_inner).add(&ran);
                        if ran.violation.is_some() {
                            found
                                .lock()
                                .unwrap_or_else(PoisonError::into_inner)
                                .get_or_insert(Found { seed, ran });
                        }
                    }
                })
            })
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| anyhow::anyhow!("a thread panicked"))??;
    }
    let total = total.lock().unwrap_or_else(PoisonError::into_inner);
    println!("{}", total.words(began.elapsed()));
    Ok(found.lock().unwrap_or_else(PoisonError::into_inner).take())
}

/// Tells a failing seed, shrunk; without one all is well.
fn told(args: &Args, found: Option<Found>) -> anyhow::Result<()> {
    let Some(Found { seed, ran }) = found else { return Ok(()) };
    let violation = ran.violation.unwrap_or_default();
    eprintln!("seed {seed}: {violation}");
    let (script, words) = on_a_stage(args, async |stage| {
        let least = shrink(stage, &ran.script, &violation, SHRINK).await?;
        let again = runs::script(stage, &least, true).await?;
        Ok((least, again))
    })?;
    println!("what is left of its {} operations:", ran.script.ops.len());
    print!("{script}");
    println!("what happens in them:");
    for line in &words.trace {
        println!("{line}");
    }
    let path = std::env::temp_dir().join(format!("reelpin-seed-{seed}.script"));
    std::fs::write(&path, script.to_string())?;
    println!("again: deploy/test --replay {seed}");
    println!("again, shrunk: deploy/test --script {}", path.display());
    anyhow::bail!("seed {seed}: {}", words.violation.unwrap_or(violation))
}

#[cfg(not(feature = "planted"))]
fn plant(_: &Args) -> anyhow::Result<()> {
    Ok(())
}

#[cfg(not(feature = "planted"))]
fn expected(args: &Args, found: Option<Found>) -> anyhow::Result<()> {
    told(args, found)
}

#[cfg(feature = "planted")]
fn bug(args: &Args) -> anyhow::Result<Option<reelpin_schema::planted::Bug>> {
    use reelpin_schema::planted::Bug;

    let Some(name) = &args.bug else { return Ok(None) };
    let bug = Bug::ALL.into_iter().find(|bug| bug.name() == name);
    Ok(Some(bug.with_context(|| format!("no such fault: {name}"))?))
}

#[cfg(feature = "planted")]
fn plant(args: &Args) -> anyhow::Result<()> {
    reelpin_schema::planted::plant(bug(args)?);
    Ok(())
}

#[cfg(feature = "planted")]
fn expected(args: &Args, found: Option<Found>) -> anyhow::Result<()> {
    let Some(bug) = bug(args)? else { return told(args, found) };
    let found = found.with_context(|| format!("{} was not found", bug.name()))?;
    let violation = found.ran.violation.unwrap_or_default();
    println!("{} found by seed {}: {violation}", bug.name(), found.seed);
    if let Some(path) = &args.keep {
        let script = &found.ran.script;
        let least =
            on_a_stage(args, async |stage| shrink(stage, script, &violation, SHRINK).await)?;
        let about = format!("# Found the planted fault {}: {violation}\n", bug.name());
        std::fs::write(path, about + &least.to_string())?;
    }
    Ok(())
}
