//! The least of a failing script that still fails.

use std::time::{Duration, Instant};

use crate::run;
use crate::script::Script;
use crate::stage::Stage;

/// Leaves out operations as long as the run still fails in the same way, for at most `time`: halves
/// first, then ever smaller parts (delta debugging).
///
/// # Errors
/// The database's.
pub async fn shrink(
    stage: &Stage,
    failing: &Script,
    violation: &str,
    time: Duration,
) -> anyhow::Result<Script> {
    let began = Instant::now();
    let mut least = failing.clone();
    let mut part = least.ops.len().div_ceil(2);
    while part > 0 && began.elapsed() < time {
        let mut from = 0;
        let mut shorter = false;
        while from < least.ops.len() && began.elapsed() < time {
            let mut tried = least.clone();
            tried.ops.drain(from..(from + part).min(least.ops.len()));
            let ran = run::script(stage, &tried, false).await?;
            match ran.violation {
                Some(same) if kind(&same) == kind(violation) => {
                    // What came after the violation is not needed either.
                    least = ran.script;
                    shorter = true;
                }
                _ => from += part,
            }
        }
        if part == 1 && !shorter {
            break;
        }
        part = if shorter && part == 1 { 1 } else { part / 2 };
    }
    Ok(least)
}

/// What a violation is about, without the names in it.
fn kind(violation: &str) -> String {
    let words = violation.split_whitespace();
    let plain = words.filter(|word| !word.chars().any(|c| c.is_ascii_digit() || c == '/'));
    plain.take(8).collect::<Vec<_>>().join(" ")
}
