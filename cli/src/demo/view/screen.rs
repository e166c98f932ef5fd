//! The terminal while the view has it: raw, on the alternate screen, and given back whatever happens.
//!
//! A panic of the view gives the terminal back before it is reported; one of any other thread is an event, because
//! its report would tear the picture. Does not know what is drawn.

use super::{Scene, draw};
use crate::demo::journal::{Journal, Weight};
use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers},
};
use std::{
    io, panic,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

/// What whoever looks wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Wish {
    /// To go on looking.
    Look,
    /// To end.
    Quit,
}

/// The terminal.
pub(in crate::demo) struct Screen {
    terminal: DefaultTerminal,
    wishes: Receiver<Wish>,
}

impl Screen {
    /// Takes the terminal.
    pub(in crate::demo) fn open(journal: Arc<Journal>) -> io::Result<Screen> {
        let terminal = ratatui::try_init()?;
        // The hook that gives the terminal back first.
        let restoring = panic::take_hook();
        let viewer = thread::current().id();
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() == viewer {
                restoring(info);
            } else {
                journal.note(Weight::Bad, info.to_string().replace('\n', " "));
            }
        }));
        Ok(Screen { terminal, wishes: read_keys() })
    }

    /// Draws a picture, as large as the terminal is now.
    pub(in crate::demo) fn draw(&mut self, scene: &Scene<'_>) -> io::Result<()> {
        self.terminal.draw(|frame| draw(frame, scene)).map(|_| ())
    }

    /// Waits until it is time for the next picture, or for one at once because the terminal has another size, or until
    /// somebody wants to end.
    pub(in crate::demo) fn wait(&mut self, limit: Duration) -> Wish {
        match self.wishes.recv_timeout(limit) {
            Ok(wish) => wish,
            Err(RecvTimeoutError::Timeout) => Wish::Look,
            Err(RecvTimeoutError::Disconnected) => Wish::Quit,
        }
    }
}

/// Reads the keyboard on a thread of its own: where the terminal is gone, reading it never returns.
fn read_keys() -> Receiver<Wish> {
    let (sender, wishes) = mpsc::channel();
    thread::spawn(move || {
        while let Ok(event) = event::read() {
            // Nobody listens any more when the view is closed.
            if let Some(wish) = wish(&event)
                && sender.send(wish).is_err()
            {
                return;
            }
        }
    });
    wishes
}

fn wish(event: &Event) -> Option<Wish> {
    match event {
        Event::Resize(..) => Some(Wish::Look),
        Event::Key(key) if key.kind == KeyEventKind::Press => match key.code {
            KeyCode::Char('q' | 'Q') | KeyCode::Esc => Some(Wish::Quit),
            KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => Some(Wish::Quit),
            _ => None,
        },
        _ => None,
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // In a panic the hook has done it already, and may not be changed.
        if !thread::panicking() {
            // It may be gone.
            let _ = ratatui::try_restore();
            drop(panic::take_hook());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::crossterm::event::KeyEvent;

    #[test]
    fn a_few_keys_end_the_view_and_others_do_not() {
        let key = |code, modifiers| wish(&Event::Key(KeyEvent::new(code, modifiers)));
        for code in [KeyCode::Char('q'), KeyCode::Char('Q'), KeyCode::Esc] {
            assert_eq!(key(code, KeyModifiers::NONE), Some(Wish::Quit));
        }
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Wish::Quit));
        for code in [KeyCode::Char('c'), KeyCode::Enter, KeyCode::Char('x')] {
            assert_eq!(key(code, KeyModifiers::NONE), None);
        }
        assert_eq!(wish(&Event::Resize(80, 24)), Some(Wish::Look));
    }
}
