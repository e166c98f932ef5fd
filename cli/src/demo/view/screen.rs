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
    sync::Arc,
    thread,
    time::{Duration, Instant},
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
pub(in crate::demo) struct Screen(DefaultTerminal);

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
        Ok(Screen(terminal))
    }

    /// Draws a picture, as large as the terminal is now.
    pub(in crate::demo) fn draw(&mut self, scene: &Scene<'_>) -> io::Result<()> {
        self.0.draw(|frame| draw(frame, scene)).map(|_| ())
    }

    /// Waits until it is time for the next picture, or for one at once because the terminal has another size, or until
    /// somebody wants to end.
    pub(in crate::demo) fn wait(&mut self, limit: Duration) -> io::Result<Wish> {
        let until = Instant::now() + limit;
        while event::poll(until.saturating_duration_since(Instant::now()))? {
            match event::read()? {
                Event::Key(key) if key.kind == KeyEventKind::Press => match key.code {
                    KeyCode::Char('q' | 'Q') | KeyCode::Esc => return Ok(Wish::Quit),
                    KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                        return Ok(Wish::Quit);
                    }
                    _ => {}
                },
                Event::Resize(..) => return Ok(Wish::Look),
                _ => {}
            }
        }
        Ok(Wish::Look)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
        // In a panic the hook is in use, and may not be changed.
        if !thread::panicking() {
            drop(panic::take_hook());
        }
    }
}
