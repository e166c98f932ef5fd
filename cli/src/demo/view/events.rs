//! What happened, the newest at the bottom. Pure.

use super::{Scene, part, title};
use crate::demo::journal::{Entry, Weight};
use ratatui::{
    Frame,
    layout::Rect,
    style::{Color, Style, Stylize},
    text::{Line, Span},
    widgets::Paragraph,
};

fn line(entry: &Entry, scene: &Scene<'_>) -> Line<'static> {
    let at = match entry.at.checked_sub(scene.begins_at) {
        Some(at) => format!("{:>7.2} s  ", at.as_secs_f64()),
        None => " ".repeat(11),
    };
    let style = match entry.weight {
        Weight::Plain => Style::new(),
        Weight::Bad => Style::new().fg(Color::Red).bold(),
        Weight::Good => Style::new().fg(Color::Green),
        Weight::Log => Style::new().fg(Color::Gray),
    };
    Line::from(vec![at.dark_gray(), Span::styled(entry.text.clone(), style)])
}

/// Draws as many as there is room for.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let entries = scene.journal.last(usize::from(area.height.saturating_sub(1)));
    let lines: Vec<Line<'_>> = entries.iter().map(|entry| line(entry, scene)).collect();
    frame.render_widget(Paragraph::new(lines).block(part(title("events"))), area);
}
