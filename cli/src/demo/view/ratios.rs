//! The numbers beside the chart: hit ratios now and altogether, throughput, latencies. Pure.

use super::{CLUSTER, Scene, chart, part, shadow_colour, text, title};
use crate::demo::score::Hits;
use predis_policy::PolicyKind;
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Style, Stylize},
    text::{Line, Span},
    widgets::{Paragraph, Sparkline},
};

/// How wide it is.
pub(super) const WIDTH: u16 = 37;

/// How high the curve of throughput is at the most.
const CURVE: u16 = 5;

/// How wide the bars are.
const BAR: usize = 6;

/// How many columns the numbers below the ratios take; the rest is the curve of throughput.
const NUMBERS: u16 = 25;

fn row(name: &str, colour: Color, now: f64, all: f64) -> Line<'static> {
    let style = Style::new().fg(colour);
    Line::from(vec![
        Span::styled(format!("{name:<15}"), style),
        Span::styled(text::bar(now, BAR), style),
        Span::raw(format!(" {now:>6.3}")),
        Span::raw(format!("  {all:>6.3}")).dark_gray(),
    ])
}

/// Draws it.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let now = chart::recent(scene).last().map_or(Hits::default(), |(_, hits)| *hits);
    let all = scene.moments.last().map_or(Hits::default(), |moment| moment.total);
    let mut rows = vec![row(&format!("cluster {}", scene.policy), CLUSTER, now.ratio(), all.ratio()).bold()];
    // The cluster's own policy is next to it.
    let (own, others): (Vec<_>, Vec<_>) = PolicyKind::ALL.into_iter().partition(|kind| *kind == scene.policy);
    for kind in own.into_iter().chain(others) {
        let (now, all) = (now.shadow_ratio(kind), all.shadow_ratio(kind));
        rows.push(row(&format!("{kind} alone"), shadow_colour(kind), now, all));
    }
    let block = part(Line::from(vec![title("hit ratio"), Span::raw("         now  so far ").dark_gray()]));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let [table, below] =
        Layout::vertical([Constraint::Length(rows.len() as u16), Constraint::Fill(1)]).areas(inner);
    frame.render_widget(Paragraph::new(rows), table);
    let [numbers, curve] =
        Layout::horizontal([Constraint::Length(NUMBERS), Constraint::Fill(1)]).areas(below);
    draw_numbers(frame, numbers, scene);
    draw_curve(frame, curve, scene);
}

/// Requests a second between each moment and the one before.
fn rates(scene: &Scene<'_>) -> Vec<u64> {
    let mut before = (0.0, 0);
    let moments = scene.moments.iter();
    let rates = moments.map(|moment| {
        let requests = moment.total.requests - before.1;
        let rate = requests as f64 / (moment.at_s - before.0).max(f64::MIN_POSITIVE);
        before = (moment.at_s, moment.total.requests);
        rate as u64
    });
    rates.collect()
}

fn draw_numbers(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let last = scene.moments.last();
    let rate = rates(scene).last().copied().unwrap_or(0);
    let (p50, p99) = last.map_or((0.0, 0.0), |moment| (moment.p50_us, moment.p99_us));
    let unserved = last.map_or(0, |moment| moment.unserved);
    let mut rows = vec![
        Line::from(vec![text::grouped(rate).bold(), " ops/s".into()]),
        Line::from(format!("p50 {}, p99 {}", text::latency(p50), text::latency(p99))),
    ];
    if unserved > 0 {
        rows.push(Line::from(format!("{} unserved", text::grouped(unserved))).red());
    }
    frame.render_widget(Paragraph::new(rows), area);
}

/// The last rates, as many as there are columns.
fn draw_curve(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let rates = rates(scene);
    let area = Rect { height: area.height.min(CURVE), ..area };
    let shown = &rates[rates.len().saturating_sub(usize::from(area.width))..];
    frame.render_widget(Sparkline::default().data(shown).style(Style::new().fg(Color::DarkGray)), area);
}
