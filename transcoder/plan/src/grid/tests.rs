//! The grid's rule on made frame times.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn show(grid: &Grid) -> String {
    let lines = grid.all().map(|place| {
        let frames = place.frames.map_or("?".to_owned(), |frames| frames.to_string());
        format!("{:.3}+{:.3}/{frames}", place.start as f64 / 9e4, place.duration as f64 / 9e4)
    });
    format!("TD {} | {}", grid.target_duration(), lines.collect::<Vec<_>>().join(" "))
}

fn constant(rate: &str, frames: u64) -> Grid {
    let rate = Rational::parse(rate).unwrap();
    let tick = Rational::new(rate.den(), rate.num()).unwrap();
    let times = (0..frames).map(|frame| tick.scale(frame as i64, TICKS) as u64);
    Grid::exact(times, rate).unwrap()
}

#[track_caller]
fn check(rate: &str, frames: u64, want: Expect) {
    want.assert_eq(&show(&constant(rate, frames)));
}

#[test]
fn constant_rates() {
    check(
        "24/1",
        720,
        expect![
            "TD 6 | 0.000+2.000/48 2.000+2.000/48 4.000+2.000/48 6.000+2.000/48 8.000+4.000/96 12.000+4.000/96 16.000+6.000/144 22.000+6.000/144 28.000+2.000/48"
        ],
    );
    check(
        "30000/1001",
        900,
        expect![
            "TD 6 | 0.000+2.002/60 2.002+2.002/60 4.004+2.002/60 6.006+2.002/60 8.008+4.004/120 12.012+4.004/120 16.016+6.006/180 22.022+6.006/180 28.028+2.002/60"
        ],
    );
    check("60/1", 60, expect!["TD 6 | 0.000+1.000/60"]);
}

#[test]
fn a_short_tail_joins_where_the_target_allows() {
    check("25/1", 2 * 50 + 24, expect!["TD 6 | 0.000+2.000/50 2.000+2.960/74"]);
    check("25/1", 2 * 50 + 25, expect!["TD 6 | 0.000+2.000/50 2.000+2.000/50 4.000+1.000/25"]);
    check(
        "25/1",
        (16 + 6) * 25 + 12,
        expect![
            "TD 6 | 0.000+2.000/50 2.000+2.000/50 4.000+2.000/50 6.000+2.000/50 8.000+4.000/100 12.000+4.000/100 16.000+6.000/150 22.000+0.480/12"
        ],
    );
    check(
        "25/1",
        (16 + 6) * 25 + 13,
        expect![
            "TD 6 | 0.000+2.000/50 2.000+2.000/50 4.000+2.000/50 6.000+2.000/50 8.000+4.000/100 12.000+4.000/100 16.000+6.000/150 22.000+0.520/13"
        ],
    );
}

#[test]
fn few_frames() {
    check("25/1", 1, expect!["TD 6 | 0.000+0.040/1"]);
    check(
        "1/10",
        5,
        expect![
            "TD 10 | 0.000+10.000/1 10.000+10.000/1 20.000+10.000/1 30.000+10.000/1 40.000+10.000/1"
        ],
    );
    check(
        "1/1",
        13,
        expect![
            "TD 6 | 0.000+2.000/2 2.000+2.000/2 4.000+2.000/2 6.000+2.000/2 8.000+4.000/4 12.000+1.000/1"
        ],
    );
}

#[test]
fn a_hole_merges_places() {
    let times = (0..100u64).map(|frame| frame * 3600 + if frame > 60 { 900_000 } else { 0 });
    let grid = Grid::exact(times, Rational::whole(25)).unwrap();
    expect!["TD 10 | 0.000+2.000/50 2.000+10.440/11 12.440+1.560/39"].assert_eq(&show(&grid));
}

#[test]
fn two_frames_on_one_tick_are_no_grid() {
    assert_eq!(Grid::exact([0, 10, 10], Rational::whole(25)), None);
    assert_eq!(Grid::exact([], Rational::whole(25)), None);
}

#[test]
fn nominal_cuts_lie_half_a_frame_early() {
    let grid = Grid::nominal(Rational::whole(25), 30 * TICKS);
    expect!["TD 6 | 0.000+1.980/? 1.980+2.000/? 3.980+2.000/? 5.980+2.000/? 7.980+4.000/? 11.980+4.000/? 15.980+6.000/? 21.980+6.000/? 27.980+2.020/?"].assert_eq(&show(&grid));
    expect!["if(isnan(prev_forced_t),1,gt(floor((round(t*90000)+1800)*25/4500000),floor((round(prev_forced_t*90000)+1800)*25/4500000))*gte(round((t-prev_forced_t)*90000),45000))"].assert_eq(&grid.key_expression());
    expect!["TD 6 | 0.000+2.000/? 2.000+2.000/? 4.000+2.000/? 6.000+2.000/? 8.000+1.000/?"]
        .assert_eq(&show(&Grid::audio(9 * TICKS)));
}

proptest! {
    #![proptest_config(crate::same_cases(400))]

    #[test]
    fn the_grid_tiles_the_film(
        steps in prop::collection::vec(1u64..400_000, 1..400),
        rate in 1u32..240,
    ) {
        let mut time = 0;
        let times: Vec<u64> =
            std::iter::once(0).chain(steps.iter().map(|step| { time += step; time })).collect();
        let grid = Grid::exact(times.iter().copied(), Rational::whole(rate)).unwrap();
        let mut at = 0;
        let mut frames = 0;
        let target = u64::from(grid.target_duration());
        for place in grid.all() {
            prop_assert_eq!(place.start, at);
            prop_assert!(place.gops > 0);
            prop_assert!(place.duration < target * TICKS + TICKS / 2);
            at += place.duration;
            frames += place.frames.unwrap();
            prop_assert!(times.binary_search(&place.start).is_ok());
        }
        prop_assert_eq!(at, grid.duration);
        prop_assert_eq!(frames, times.len() as u64);
        for pair in grid.gops.windows(2) {
            prop_assert!(pair[1].start - pair[0].start >= grid.shortest_gop());
        }
    }

    #[test]
    fn nominal_places_and_their_starts_agree(segment in 0u64..100_000, rate in 1i64..300) {
        let grid = Grid::nominal(Rational::new(rate * 1000, 1001).unwrap(), 0);
        let start = grid.cut(segment as u32).unwrap();
        prop_assert_eq!(grid.nominal_segment(start), segment);
        if segment > 0 {
            prop_assert_eq!(grid.nominal_segment(start - 1), segment - 1);
        }
    }
}
