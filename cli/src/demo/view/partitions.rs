//! Who serves which partition, a character each. Pure.

use super::{Scene, node_colour, part, title};
use ratatui::{
    Frame,
    layout::Rect,
    style::{Color, Style, Stylize},
    text::{Line, Span},
    widgets::Paragraph,
};

/// How many partitions a row has: a power of two, so that rows are ranges of slots that are easy to name.
fn per_row(scene: &Scene<'_>, width: u16) -> usize {
    let room = usize::from(width.saturating_sub(2)).max(1);
    let widest = 1 << room.ilog2();
    widest.min(scene.look.served_by.len().max(1))
}

/// How many rows it takes, its title included.
pub(super) fn rows(scene: &Scene<'_>, width: u16) -> u16 {
    scene.look.served_by.len().div_ceil(per_row(scene, width)) as u16 + 1
}

fn cell(served_by: Option<usize>) -> Span<'static> {
    match served_by {
        Some(index) => Span::styled((index + 1).to_string(), Style::new().fg(node_colour(index))),
        None => Span::styled("·", Style::new().fg(Color::White).bg(Color::Red)),
    }
}

/// Draws it.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let look = scene.look;
    let unserved = look.served_by.iter().filter(|served| served.is_none()).count();
    let mut heading =
        vec![title(&format!("{} partitions, by the node that serves them", look.served_by.len()))];
    if unserved > 0 {
        heading.push(format!("{unserved} unserved ").red().bold());
    }
    if look.lost > 0 {
        heading.push(format!("{} lost and begun anew ", look.lost).dark_gray());
    }
    let row = |cells: &[Option<usize>]| {
        let cells = cells.iter().map(|served_by| cell(*served_by));
        Line::from([Span::raw(" ")].into_iter().chain(cells).collect::<Vec<Span<'_>>>())
    };
    let rows: Vec<Line<'_>> = look.served_by.chunks(per_row(scene, area.width)).map(row).collect();
    frame.render_widget(Paragraph::new(rows).block(part(Line::from(heading))), area);
}
