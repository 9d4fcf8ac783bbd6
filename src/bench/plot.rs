//! Two charts in one SVG: latency against load, and throughput against load.

use std::fs;
use std::ops::Range;
use std::path::Path;

use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::element::PathElement;
use plotters::prelude::{
    DrawingArea, IntoDrawingArea, IntoFont, IntoLogRange, LineSeries, Palette, Palette99,
    SVGBackend,
};
use plotters::style::{BLACK, Color, WHITE};

use super::error::Error;
use super::outcome::{Figure, LoadOutcome, Outcome};

const WIDTH: u32 = 900;
const CHART_HEIGHT: u32 = 480;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Failure = Box<dyn std::error::Error>;

/// A line in a chart.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

/// Writes the medians of the rounds to a file.
///
/// # Errors
/// Where the file cannot be written.
pub fn write(outcome: &Outcome, path: &Path) -> Result<(), Error> {
    let failed = |reason: String| Error::Plot {
        path: path.to_owned(),
        reason,
    };
    let svg = draw(outcome).map_err(|error| failed(error.to_string()))?;
    fs::write(path, svg).map_err(|error| failed(error.to_string()))
}

fn draw(outcome: &Outcome) -> Result<String, Failure> {
    let is_open = outcome.loads.iter().any(|load| load.load.per_s.is_some());
    let load = if is_open {
        "requests/s that arrive"
    } else {
        "connections"
    };
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, 2 * CHART_HEIGHT));
        let root = root.into_drawing_area();
        root.fill(&WHITE)?;
        let (upper, lower) = root.split_vertically(CHART_HEIGHT);
        let caption = |what: &str| format!("{}: {what}", outcome.scenario);
        let latencies = Figure::QUANTILES.map(|(figure, _)| figure);
        let axes = [load, "latency, ms"];
        draw_chart(
            &upper,
            &caption("latency"),
            axes,
            &lines(outcome, &latencies),
        )?;
        let axes = [load, "requests/s"];
        let throughput = lines(outcome, &[Figure::RequestsPerS]);
        draw_chart(&lower, &caption("throughput"), axes, &throughput)?;
        root.present()?;
    }
    Ok(svg)
}

/// Figures of every side against the load, as far as they can be on a logarithmic scale.
fn lines(outcome: &Outcome, figures: &[Figure]) -> Vec<Line> {
    let Some(first) = outcome.loads.first() else {
        return Vec::new();
    };
    let sides = first.sides.iter().enumerate();
    let pairs =
        sides.flat_map(|(index, side)| figures.iter().map(move |figure| (index, side, figure)));
    let line = |(index, side, figure): (usize, &super::Series, &Figure)| Line {
        name: match figures {
            [_] => side.name.clone(),
            _ => format!("{} {}", side.name, figure.title().trim_end_matches(" ms")),
        },
        points: outcome
            .loads
            .iter()
            .filter_map(|load| {
                let median = load.sides.get(index)?.median.get(figure)?;
                (0.0 < *median).then_some((height_of(load), *median))
            })
            .collect(),
    };
    pairs.map(line).collect()
}

fn height_of(load: &LoadOutcome) -> f64 {
    let connections = load.load.connections as f64;
    load.load.per_s.map_or(connections, f64::from)
}

fn draw_chart(
    area: &Area<'_>,
    caption: &str,
    axes: [&str; 2],
    lines: &[Line],
) -> Result<(), Failure> {
    let points = || lines.iter().flat_map(|line| line.points.iter());
    let across = range(points().map(|(across, _)| *across));
    let up = range(points().map(|(_, up)| *up));
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 20).into_font())
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(72)
        .build_cartesian_2d(across.log_scale(), up.log_scale())?;
    let [across, up] = axes;
    chart.configure_mesh().x_desc(across).y_desc(up).draw()?;
    for (index, line) in lines.iter().enumerate() {
        let style = Palette99::pick(index).stroke_width(2);
        let series = LineSeries::new(line.points.iter().copied(), style).point_size(3);
        chart
            .draw_series(series)?
            .label(&line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    Ok(())
}

/// All values, with room around them; something to draw on where there are none.
fn range(values: impl Iterator<Item = f64> + Clone) -> Range<f64> {
    let least = values.clone().reduce(f64::min).unwrap_or(1.0);
    let most = values.reduce(f64::max).unwrap_or(1.0);
    least * 0.8..most * 1.25
}
