//! Hit ratios over time, the cluster's and each shadow's. Pure.

use super::{CLUSTER, Scene, part, shadow_colour, title};
use crate::demo::score::Hits;
use predis_policy::PolicyKind;
use ratatui::{
    Frame,
    layout::Rect,
    style::{Color, Style},
    symbols::Marker,
    text::Span,
    widgets::{Axis, Chart, Dataset, GraphType},
};

/// Over how many moments a ratio is taken: two seconds.
pub(super) const OVER: usize = 4;

/// The hits of the stretch that ends at each moment, with its time.
pub(super) fn recent(scene: &Scene<'_>) -> Vec<(f64, Hits)> {
    let before = |at: usize| if at < OVER { Hits::default() } else { scene.moments[at - OVER].total };
    let moments = scene.moments.iter().enumerate();
    let stretches = moments.map(|(at, moment)| (moment.at_s, moment.total.since(&before(at))));
    stretches.filter(|(_, hits)| hits.requests > 0).collect()
}

/// The lowest and the highest ratio, to the next tenth, and never too near each other.
fn bounds(ratios: impl Iterator<Item = f64>) -> [f64; 2] {
    let (mut low, mut high) = (1.0f64, 0.0f64);
    for ratio in ratios {
        (low, high) = (low.min(ratio), high.max(ratio));
    }
    if low > high {
        return [0.0, 1.0];
    }
    let low = ((low * 10.0).floor() / 10.0).min(0.8);
    [low, ((high * 10.0).ceil() / 10.0).max(low + 0.2)]
}

/// Draws it.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let recent = recent(scene);
    let line = |ratio: &dyn Fn(&Hits) -> f64| -> Vec<(f64, f64)> {
        recent.iter().map(|(at_s, hits)| (*at_s, ratio(hits))).collect()
    };
    let mut lines: Vec<(Vec<(f64, f64)>, Color)> = PolicyKind::ALL
        .map(|kind| (line(&|hits: &Hits| hits.shadow_ratio(kind)), shadow_colour(kind)))
        .into();
    // The cluster comes last, on top of the others.
    lines.push((line(&Hits::ratio), CLUSTER));
    let [low, high] = bounds(lines.iter().flat_map(|(points, _)| points.iter().map(|point| point.1)));
    let death: Vec<(f64, f64)> =
        scene.killed_at_s.map(|at_s| vec![(at_s, low), (at_s, high)]).unwrap_or_default();
    let dataset = |points, colour: Color| {
        let style = Style::new().fg(colour);
        Dataset::default().marker(Marker::Braille).graph_type(GraphType::Line).style(style).data(points)
    };
    let mut datasets = vec![dataset(&death, Color::Red)];
    datasets.extend(lines.iter().map(|(points, colour)| dataset(points, *colour)));
    let x = [
        Span::raw("0 s"),
        Span::raw(format!("{:.0} s", scene.seconds / 2.0)),
        format!("{:.0} s", scene.seconds).into(),
    ];
    let y = [format!("{low:.1}"), format!("{:.1}", (low + high) / 2.0), format!("{high:.1}")];
    let axis = || Axis::default().style(Style::new().fg(Color::DarkGray));
    let chart = Chart::new(datasets)
        .block(part(title("hit ratio, two seconds at a time")))
        .legend_position(None)
        .x_axis(axis().bounds([0.0, scene.seconds]).labels(x))
        .y_axis(axis().bounds([low, high]).labels(y.map(Span::from)));
    frame.render_widget(chart, area);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_every_ratio_and_leave_room() {
        let near = |found: [f64; 2], wanted: [f64; 2]| {
            found.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-9)
        };
        assert!(near(bounds([0.55, 0.62].into_iter()), [0.5, 0.7]));
        assert!(near(bounds([0.61].into_iter()), [0.6, 0.8]));
        assert!(near(bounds([0.99, 1.0].into_iter()), [0.8, 1.0]));
        assert!(near(bounds([0.0, 0.91].into_iter()), [0.0, 1.0]));
        assert!(near(bounds([].into_iter()), [0.0, 1.0]));
    }
}
