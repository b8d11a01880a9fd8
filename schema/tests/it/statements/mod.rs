//! Every statement of the product: that both databases take it, and that it stays fast.

mod lexer;
mod lists;
mod plans;
mod refused;
mod sources;
mod vocabulary;
