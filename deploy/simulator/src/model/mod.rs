//! Models of the engines: they lose, double, delay, fail, and do what was asked but lose the answer.
