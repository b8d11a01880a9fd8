//! The database: whether it answers, and how far its schema is.

use reelpin_schema::db::{Config, Db, DbError, MIGRATIONS};
use reelpin_schema::finding::{Finding, chain};

pub(super) async fn tried(config: &Config) -> Vec<Finding> {
    let what = "the database";
    let trial = async {
        let db = Db::new(config)?;
        let about = db.about().await;
        db.close();
        about
    };
    let about = match trial.await {
        Ok(about) => about,
        Err(DbError::Url(e)) => {
            return vec![Finding::broken(what, format!("REELPIN_DATABASE_URL: {}", chain(&e)))];
        }
        Err(e) => return vec![Finding::broken(what, chain(&e))],
    };
    let mut found = vec![Finding::works(what, about.version)];
    found.push(match about.applied {
        Ok(applied) if applied == MIGRATIONS.len() => Finding::works("schema", "of this version"),
        Ok(applied) => Finding::works(
            "schema",
            format!(
                "{applied} of {} migrations are applied; the gateway applies the others when it starts",
                MIGRATIONS.len()
            ),
        ),
        Err(newer) => Finding::broken(
            "schema",
            format!("it has migration {newer}, which this version does not know; update Reelpin"),
        ),
    });
    found
}
