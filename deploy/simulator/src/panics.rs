//! Panics within steps, which the product catches and calls a failure of ours: here each is a
//! violation.

use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Notes from now on what panics on any thread, instead of printing it.
pub fn note() {
    HOOK.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let noted = PANIC.try_with(|panic| *panic.borrow_mut() = Some(info.to_string()));
            if noted.is_err() {
                print(info);
            }
        }));
    });
}

/// The last panic of this thread since this was asked.
pub fn take() -> Option<String> {
    PANIC.take()
}
