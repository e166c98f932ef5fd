//! The live view: one picture from one scene. Pure but for the terminal in `screen`.
//!
//! ```text
//!   header
//!   hit ratio over time | hit ratios, ops/s, latencies
//!   nodes               | who serves what                (side by side where there is room)
//!   events
//! ```
//! Does not know where the numbers come from.

mod chart;
mod events;
mod nodes;
mod partitions;
mod ratios;
mod screen;
#[cfg(test)]
mod tests;
mod text;

pub(super) use screen::{Screen, Wish};

use super::{cluster::Look, journal::Journal, score::Hits};
use predis_policy::PolicyKind;
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style, Stylize},
    text::{Line, Span},
    widgets::{Block, Borders, Paragraph},
};
use std::time::Duration;

/// The smallest terminal that a picture fits.
const SMALLEST: (u16, u16) = (70, 20);

/// From this width on, nodes and partitions are side by side.
const WIDE: u16 = 132;

/// How many days the workload's own time has, for the clock in the header.
const DAYS: f64 = 2.0;

/// The load at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Moment {
    /// Seconds since the load began.
    pub(super) at_s: f64,
    /// Everything until then.
    pub(super) total: Hits,
    /// Requests that nobody served, until then.
    pub(super) unserved: u64,
    /// Of the GETs since the moment before.
    pub(super) p50_us: f64,
    /// Of the GETs since the moment before.
    pub(super) p99_us: f64,
}

/// All that a picture shows.
pub(super) struct Scene<'a> {
    /// How the nodes evict.
    pub(super) policy: PolicyKind,
    /// Seconds since the load began.
    pub(super) now_s: f64,
    /// How long the load lasts.
    pub(super) seconds: f64,
    /// Whether the workload has days.
    pub(super) has_days: bool,
    /// The load so far, oldest first.
    pub(super) moments: &'a [Moment],
    /// The cluster now.
    pub(super) look: &'a Look,
    /// What happened.
    pub(super) journal: &'a Journal,
    /// When the load began, in the journal's time.
    pub(super) begins_at: Duration,
    /// When a node was killed.
    pub(super) killed_at_s: Option<f64>,
    /// How long it then took until every slot was served.
    pub(super) recovered_s: Option<f64>,
}

/// The colour of a policy's shadow.
fn shadow_colour(kind: PolicyKind) -> Color {
    match kind {
        PolicyKind::Lru => Color::Yellow,
        PolicyKind::Fifo => Color::Blue,
        PolicyKind::S3fifo => Color::Cyan,
    }
}

/// The colour of the cluster.
const CLUSTER: Color = Color::Green;

/// The colour of a node, by its place.
fn node_colour(index: usize) -> Color {
    [Color::LightCyan, Color::LightYellow, Color::LightMagenta][index % 3]
}

/// A part of the picture: a line with its title, and room below.
fn part<'a>(title: impl Into<Line<'a>>) -> Block<'a> {
    Block::new().borders(Borders::TOP).border_style(Style::new().fg(Color::DarkGray)).title(title.into())
}

/// A title.
fn title(text: &str) -> Span<'static> {
    Span::styled(format!(" {text} "), Style::new().add_modifier(Modifier::BOLD))
}

/// Draws the picture.
pub(super) fn draw(frame: &mut Frame<'_>, scene: &Scene<'_>) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let text = format!(
            "The view needs {} x {}; this terminal has {} x {}. q quits.",
            SMALLEST.0, SMALLEST.1, area.width, area.height
        );
        frame.render_widget(Paragraph::new(text).wrap(Default::default()), area);
        return;
    }
    let node_rows = scene.look.nodes.len() as u16 + 2;
    let wide = area.width >= WIDE;
    let map_rows = partitions::rows(scene, if wide { area.width - nodes::WIDTH } else { area.width });
    let middle = if wide { node_rows.max(map_rows) } else { node_rows + map_rows };
    let [header, top, middle, events] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Fill(3),
        Constraint::Length(middle),
        Constraint::Fill(2),
    ])
    .areas(area);
    let [chart, ratios] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(ratios::WIDTH)]).spacing(1).areas(top);
    let [nodes, map]: [Rect; 2] = if wide {
        Layout::horizontal([Constraint::Length(nodes::WIDTH), Constraint::Fill(1)]).areas(middle)
    } else {
        Layout::vertical([Constraint::Length(node_rows), Constraint::Length(map_rows)]).areas(middle)
    };
    draw_header(frame, header, scene);
    chart::draw(frame, chart, scene);
    ratios::draw(frame, ratios, scene);
    nodes::draw(frame, nodes, scene);
    partitions::draw(frame, map, scene);
    events::draw(frame, events, scene);
}

fn draw_header(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let mut left = vec![
        " predis demo ".bold().reversed(),
        format!("  {:.0} of {:.0} s", scene.now_s.min(scene.seconds), scene.seconds).into(),
    ];
    if scene.has_days {
        let day = (scene.now_s / scene.seconds).clamp(0.0, 1.0) * DAYS;
        let hour = day.fract() * 24.0;
        left.push(format!("   day {:.0}, {:02.0}:00", day.floor() + 1.0, hour.floor()).into());
    }
    left.push(match (scene.killed_at_s, scene.recovered_s) {
        (None, _) => format!("   a node is killed at {:.0} s", scene.seconds / 2.0).dark_gray(),
        (Some(_), None) => "   slots are without a node".red().bold(),
        (Some(_), Some(seconds)) => format!("   recovered in {seconds:.2} s").green(),
    });
    frame.render_widget(Paragraph::new(Line::from(left)), area);
    frame.render_widget(Paragraph::new(Line::from("q quits ").dark_gray().right_aligned()), area);
}
