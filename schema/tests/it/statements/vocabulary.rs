//! No statement says anything that only one of the two databases takes.

use std::collections::BTreeSet;

use reelpin_schema::db::{Purpose, listed};

use super::lexer::{Token, tokens};
use super::lists::{FUNCTIONS, KEYWORDS, NAMES, PHRASES, REFUSED, RESERVED, SIGNS, TYPES};

/// The names that migrations give, to tables, columns, indices and constraints.
pub(super) fn given() -> BTreeSet<String> {
    listed()
        .iter()
        .filter(|one| one.purpose == Purpose::Migration)
        .flat_map(|one| tokens(one.sql))
        .filter_map(|token| match token {
            Token::Word(word) if is_lower(&word) => Some(word),
            _ => None,
        })
        .collect()
}

fn is_lower(word: &str) -> bool {
    !word.contains(|c: char| c.is_ascii_uppercase())
}

/// What a statement says that it must not say; empty when it may be sent to both. `names` are the
/// names it may use besides [`NAMES`].
pub(super) fn complaints(sql: &str, names: &BTreeSet<String>) -> Vec<String> {
    let tokens = tokens(sql);
    let cast = Token::Sign("::".into());
    let mut complaints = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let is_type = at > 0 && tokens[at - 1] == cast;
        complaints.extend(complaint(token, is_type, names));
        let Some(next) = tokens.get(at + 1) else { continue };
        for (one, then, why) in PHRASES {
            let told = *next == Token::Parameter && tokens.get(at + 2) == Some(&cast);
            if says(token, one) && says(next, then) && !told {
                complaints.push(format!("{one} {then}: {why}"));
            }
        }
    }
    complaints
}

/// Whether a token is this word or sign; `$` stands for any parameter.
fn says(token: &Token, what: &str) -> bool {
    match token {
        Token::Word(word) | Token::Function(word) => word == what,
        Token::Sign(sign) => sign == what,
        Token::Parameter => what == "$",
        Token::Literal => false,
    }
}

fn complaint(token: &Token, is_type: bool, names: &BTreeSet<String>) -> Option<String> {
    let (word, listed) = match token {
        Token::Parameter | Token::Literal => return None,
        Token::Sign(sign) => (sign, SIGNS.contains(&sign.as_str())),
        Token::Function(word) => (word, FUNCTIONS.contains(&word.as_str())),
        Token::Word(word) if is_type => (word, TYPES.contains(&word.as_str())),
        Token::Word(word) if is_lower(word) => {
            (word, names.contains(word) || NAMES.contains(&word.as_str()))
        }
        Token::Word(word) => {
            let word_ = word.as_str();
            (word, [KEYWORDS, TYPES, FUNCTIONS].iter().any(|list| list.contains(&word_)))
        }
    };
    if listed {
        return None;
    }
    let lower = word.to_lowercase();
    let why = match REFUSED.iter().find(|(refused, _)| *refused == lower) {
        Some((_, why)) => why,
        None if lower.starts_with("pg_") => "catalogs and advisory locks are PostgreSQL's own",
        None => "not on the list of what both databases take",
    };
    Some(format!("{word}: {why}"))
}

#[test]
fn both_databases_take_every_word_of_every_statement() {
    let names = given();
    let bad: Vec<String> = listed()
        .iter()
        .flat_map(|one| {
            complaints(one.sql, &names).into_iter().map(|what| format!("{}: {what}", one.name))
        })
        .collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn no_name_is_a_keyword_of_either() {
    let reserved: Vec<String> =
        given().into_iter().filter(|name| RESERVED.contains(&name.as_str())).collect();
    assert!(reserved.is_empty(), "{reserved:?}");
}

#[test]
fn each_statement_has_a_name_of_its_own_and_is_one() {
    let all = listed();
    let names: BTreeSet<&str> = all.iter().map(|one| one.name).collect();
    assert_eq!(names.len(), all.len(), "two statements have one name");
    for one in all {
        assert!(!one.sql.is_empty() && !one.sql.contains(';'), "{}", one.name);
    }
}

#[test]
fn nothing_on_the_lists_is_there_in_vain() {
    let all: Vec<Token> = listed().iter().flat_map(|one| tokens(one.sql)).collect();
    let said: BTreeSet<&str> = all
        .iter()
        .filter_map(|token| match token {
            Token::Word(word) | Token::Function(word) => Some(word.as_str()),
            Token::Sign(sign) => Some(sign.as_str()),
            Token::Parameter | Token::Literal => None,
        })
        .collect();
    let unsaid: Vec<&&str> = [KEYWORDS, TYPES, FUNCTIONS, SIGNS, NAMES]
        .into_iter()
        .flatten()
        .filter(|word| !said.contains(**word))
        .collect();
    assert!(unsaid.is_empty(), "{unsaid:?}");
}
