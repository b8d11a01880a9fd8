//! The simulator's own tests: finds that stay found, and that a seed is always the same.

use reelpin_simulator::run;
use reelpin_simulator::script::Script;
use reelpin_simulator::stage::Stage;

/// Runs on a stage of its own, on one thread.
fn on_a_stage(body: impl AsyncFnOnce(Stage)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { body(Stage::open().await.unwrap()).await });
}

#[test]
fn a_seed_is_the_same_each_time() {
    on_a_stage(async |stage| {
        for seed in [3, 4] {
            let first = run::seed(&stage, seed).await.unwrap();
            let again = run::script(&stage, &first.script, true).await.unwrap();
            let once_more = run::script(&stage, &first.script, true).await.unwrap();
            assert_eq!(first.violation, None);
            assert_eq!(first.counts.effects, again.counts.effects, "seed {seed}");
            assert_eq!(first.clock, again.clock);
            assert!(again.trace == once_more.trace, "seed {seed} went another way");
            assert!(first.counts.effects >= 200);
        }
    });
}

#[test]
fn finds_stay_found() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/finds");
    let mut scripts: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    scripts.sort();
    assert!(!scripts.is_empty());
    on_a_stage(async |stage| {
        for path in scripts {
            let script: Script = std::fs::read_to_string(&path).unwrap().parse().unwrap();
            let ran = run::script(&stage, &script, false).await.unwrap();
            assert_eq!(ran.violation, None, "{}", path.display());
        }
    });
}

#[test]
fn a_script_is_read_as_it_was_written() {
    on_a_stage(async |stage| {
        let script = run::seed(&stage, 5).await.unwrap().script;
        assert_eq!(script.to_string().parse::<Script>().unwrap(), script);
    });
}
