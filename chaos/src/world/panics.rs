//! Panics in simulated processes: tokio keeps a task's panic from all who do not wait for the task, and no task of a
//! node may panic.
//!
//! Does not know what a process runs.

use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook},
    sync::Once,
};

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static FIRST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does what a process does, and then panics for it if any of its tasks did: with the words of the first that did.
pub(super) fn passed_on<T>(run: impl FnOnce() -> T) -> T {
    static HOOK: Once = Once::new();
    HOOK.call_once(hook);
    WATCHED.set(true);
    let done = catch_unwind(AssertUnwindSafe(run));
    WATCHED.set(false);
    match FIRST.take() {
        None => done.unwrap_or_else(|panic| resume_unwind(panic)),
        Some(text) => resume_unwind(Box::new(text)),
    }
}

/// Has panics that are watched for noted, not printed.
fn hook() {
    let before = take_hook();
    set_hook(Box::new(move |panic| {
        if !WATCHED.get() {
            return before(panic);
        }
        FIRST.with_borrow_mut(|first| first.get_or_insert_with(|| panic.to_string()).clone());
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_that_was_swallowed_comes_out_and_only_once() {
        let swallowed = || drop(catch_unwind(|| panic!("first")));
        let panic = catch_unwind(|| passed_on(swallowed)).unwrap_err();
        assert!(panic.downcast_ref::<String>().unwrap().contains("first"));
        assert_eq!(passed_on(|| 3), 3);
    }
}
