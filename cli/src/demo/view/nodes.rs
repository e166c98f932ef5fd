//! The nodes: how each is, what it serves and holds. Pure.

use super::{Scene, node_colour, part, text, title};
use crate::demo::cluster::{NodeLook, NodeState};
use ratatui::{
    Frame,
    layout::{Constraint, Rect},
    style::{Color, Style, Stylize},
    text::{Line, Span},
    widgets::{Cell, Row, Table},
};

/// How wide it is where it is not as wide as the picture.
pub(super) const WIDTH: u16 = 66;

/// How wide the bar of used memory is.
const BAR: usize = 8;

fn state(state: NodeState) -> Span<'static> {
    match state {
        NodeState::Leads => "serves, leads".green(),
        NodeState::Serves => "serves".green(),
        NodeState::Waits => "no lease".yellow(),
        NodeState::Killed => "killed".red().bold(),
    }
}

fn row<'a>(index: usize, node: &NodeLook) -> Row<'a> {
    let colour = node_colour(index);
    let alive = node.state != NodeState::Killed;
    let or_dash = |text: String| if alive { text } else { "-".to_owned() };
    let share = node.used_bytes as f64 / node.limit_bytes.max(1) as f64;
    let memory = if alive {
        Line::from(vec![
            Span::styled(text::bar(share, BAR), Style::new().fg(colour)),
            format!(" {}", text::used(node.used_bytes, node.limit_bytes)).into(),
        ])
    } else {
        Line::from("-")
    };
    let number = |text: String| Cell::from(Line::from(text).right_aligned());
    Row::new(vec![
        Cell::from(Span::styled(format!(" {}", node.name), Style::new().fg(colour).bold())),
        Cell::from(state(node.state)),
        number(or_dash(node.partitions.to_string())),
        number(or_dash(text::grouped(node.keys))),
        Cell::from(memory),
        Cell::from(node.addr.clone()).style(Style::new().fg(Color::DarkGray)),
    ])
}

/// Draws them.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let head = |text: &'static str| Cell::from(Line::from(text).right_aligned());
    let header = Row::new(vec![
        Cell::from(" name"),
        Cell::from("state"),
        head("parts"),
        head("keys"),
        Cell::from("memory"),
        Cell::from("address"),
    ]);
    let widths = [
        Constraint::Length(8),
        Constraint::Length(13),
        Constraint::Length(5),
        Constraint::Length(7),
        Constraint::Min(27),
        Constraint::Length(if area.width > WIDTH { 15 } else { 0 }),
    ];
    let rows = scene.look.nodes.iter().enumerate().map(|(index, node)| row(index, node));
    let table = Table::new(rows, widths)
        .header(header.style(Style::new().fg(Color::DarkGray)))
        .column_spacing(1)
        .block(part(title("nodes")));
    frame.render_widget(table, area);
}
