//! `reelpin-gateway sql`: everything that is ever sent to the database, for whoever wants to hold it
//! against a parser, or to look at it.

use std::io::{self, Write};

use reelpin_schema::db;

/// Writes every migration and statement: each ended by a semicolon, its kind and name in a comment
/// before it; or as one JSON array of objects with `kind`, `name` and `sql`.
///
/// # Errors
/// Those of `out`.
pub fn print(mut out: impl Write, json: bool) -> io::Result<()> {
    let listed = db::listed();
    if json {
        serde_json::to_writer_pretty(&mut out, &listed)?;
        return writeln!(out);
    }
    for one in listed {
        writeln!(out, "-- {:?} {}\n{};\n", one.purpose, one.name, one.sql)?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::print;

    #[test]
    fn both_forms_say_the_same() {
        let (mut text, mut json) = (Vec::new(), Vec::new());
        print(&mut text, false).unwrap();
        print(&mut json, true).unwrap();
        let json: Vec<serde_json::Value> = serde_json::from_slice(&json).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(json.len() > 150, "{}", json.len());
        assert_eq!(text.matches(";\n").count(), json.len());
        for one in json {
            let (name, sql) = (one["name"].as_str().unwrap(), one["sql"].as_str().unwrap());
            assert!(text.contains(&format!(" {name}\n{sql};\n")), "{name}");
        }
    }
}
