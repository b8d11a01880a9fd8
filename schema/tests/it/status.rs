//! Every transition of a video's state, as a table.

use expect_test::expect;
use reelpin_schema::video::{Status, Step};

type Take = fn(Status) -> Step;

#[test]
fn who_may_leave_which_state() {
    let steps: [(&str, Take); 8] = [
        ("uploaded", Status::uploaded),
        ("planned", Status::planned),
        ("playable", Status::playable),
        ("completed", Status::completed),
        ("failed", Status::failed),
        ("cancelled", Status::cancelled),
        ("retried", |status| status.retried(true)),
        ("deleted", Status::deleted),
    ];
    let mut table = String::new();
    for from in Status::ALL {
        table.push_str(&format!("{:<10}", from.name()));
        for (name, step) in steps {
            let to = match step(from) {
                Ok(Some(to)) => to.name(),
                Ok(None) => "=",
                Err(_) => "-",
            };
            table.push_str(&format!(" {name}:{to}"));
        }
        table.push('\n');
    }
    expect![[r#"
        pending    uploaded:uploaded planned:- playable:- completed:- failed:failed cancelled:cancelled retried:- deleted:deleted
        uploaded   uploaded:= planned:processing playable:- completed:- failed:failed cancelled:cancelled retried:- deleted:deleted
        processing uploaded:= planned:= playable:playable completed:completed failed:failed cancelled:cancelled retried:- deleted:deleted
        playable   uploaded:= planned:= playable:= completed:completed failed:failed cancelled:cancelled retried:- deleted:deleted
        completed  uploaded:= planned:- playable:= completed:= failed:- cancelled:- retried:completed deleted:deleted
        failed     uploaded:- planned:- playable:- completed:- failed:= cancelled:- retried:processing deleted:deleted
        cancelled  uploaded:- planned:- playable:- completed:- failed:- cancelled:= retried:processing deleted:deleted
        deleted    uploaded:- planned:- playable:- completed:- failed:- cancelled:- retried:- deleted:=
    "#]].assert_eq(&table);
}
