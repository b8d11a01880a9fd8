//! SQL as tokens: as much as is needed to say which words, functions, types and operators stand in it.

/// A piece of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword, type or name, as written.
    Word(String),
    /// A name directly before its opening bracket.
    Function(String),
    /// `$1`.
    Parameter,
    /// A number or a plain text.
    Literal,
    /// Everything else: operators, brackets, commas, dots.
    Sign(String),
}

/// What operators are made of.
const OPERATOR: &str = "+-*/<>=~!@#%^&|?:";

/// Takes a statement apart; comments are left out. What is no part of our SQL at all becomes a
/// [`Token::Sign`] that no list has: quoted names, dollar quotes, texts without an end.
pub(super) fn tokens(sql: &str) -> Vec<Token> {
    let chars: Vec<char> = sql.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&first) = chars.get(at) {
        let run = |from: usize, member: &dyn Fn(char) -> bool| {
            chars[from..].iter().position(|c| !member(*c)).map_or(chars.len(), |n| from + n)
        };
        let end;
        if first.is_whitespace() {
            at += 1;
            continue;
        } else if first == '-' && chars.get(at + 1) == Some(&'-') {
            at = run(at, &|c| c != '\n');
            continue;
        } else if first.is_ascii_alphabetic() || first == '_' {
            end = run(at, &|c| c.is_ascii_alphanumeric() || c == '_');
            let word = chars[at..end].iter().collect();
            let called = chars.get(end) == Some(&'(');
            tokens.push(if called { Token::Function(word) } else { Token::Word(word) });
        } else if first.is_ascii_digit() {
            end = run(at, &|c| c.is_ascii_digit() || c == '.');
            tokens.push(Token::Literal);
        } else if first == '\'' {
            let close = run(at + 1, &|c| c != '\'');
            // A text directly after a word is of another kind: E'', B'', X''.
            let plain = close < chars.len()
                && !(at > 0 && chars[at - 1].is_alphanumeric())
                && chars.get(close + 1) != Some(&'\'');
            end = (close + 1).min(chars.len());
            tokens.push(if plain { Token::Literal } else { Token::Sign("'".into()) });
        } else if first == '$' && chars.get(at + 1).is_some_and(char::is_ascii_digit) {
            end = run(at + 1, &|c| c.is_ascii_digit());
            tokens.push(Token::Parameter);
        } else if OPERATOR.contains(first) {
            end = run(at, &|c| OPERATOR.contains(c));
            tokens.push(Token::Sign(chars[at..end].iter().collect()));
        } else {
            end = at + 1;
            tokens.push(Token::Sign(first.into()));
        }
        at = end;
    }
    tokens
}
