//! Two charts in one SVG: latency against load, and throughput against load.

use std::fs;
use std::ops::Range;
use std::path::Path;

use plotters::chart::{ChartBuilder, SeriesLabelPosition};
use plotters::coord::Shift;
use plotters::element::PathElement;
use plotters::prelude::{
    DrawingArea, IntoDrawingArea, IntoFont, IntoLogRange, LineSeries, Palette, Palette99,
    SVGBackend,
};
use plotters::style::{BLACK, Color, WHITE};

use super::error::Error;
use super::outcome::{Figure, LoadOutcome, Outcome, Series};

const WIDTH: u32 = 900;
const CHART_HEIGHT: u32 = 480;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Failure = Box<dyn std::error::Error>;

/// A line in a chart: each point at the number of its load.
struct Line {
    name: String,
    points: Vec<(i32, f64)>,
}

/// What a chart shows, and how it is called.
struct Chart {
    caption: String,
    across: &'static str,
    up: &'static str,
    /// What each load is called below the chart.
    loads: Vec<String>,
    lines: Vec<Line>,
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
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, 2 * CHART_HEIGHT));
        let root = root.into_drawing_area();
        root.fill(&WHITE)?;
        let (upper, lower) = root.split_vertically(CHART_HEIGHT);
        let latencies = Figure::QUANTILES.map(|(figure, _)| figure);
        Chart::new(outcome, "latency", "ms", &latencies).draw(&upper)?;
        let throughput = [Figure::RequestsPerS];
        Chart::new(outcome, "throughput", "requests/s", &throughput).draw(&lower)?;
        root.present()?;
    }
    Ok(svg)
}

impl Chart {
    fn new(outcome: &Outcome, what: &str, up: &'static str, figures: &[Figure]) -> Self {
        let per_s = |load: &LoadOutcome| load.load.per_s;
        let is_open = outcome.loads.iter().any(|load| per_s(load).is_some());
        let name = |load: &LoadOutcome| match per_s(load) {
            Some(per_s) => per_s.to_string(),
            None => load.load.connections.to_string(),
        };
        Self {
            caption: format!("{}: {what}", outcome.scenario),
            across: if is_open {
                "requests/s that arrive"
            } else {
                "connections"
            },
            up,
            loads: outcome.loads.iter().map(name).collect(),
            lines: lines(outcome, figures),
        }
    }

    fn draw(&self, area: &Area<'_>) -> Result<(), Failure> {
        let loads = i32::try_from(self.loads.len())?;
        let points = self.lines.iter().flat_map(|line| line.points.iter());
        let up = range(points.map(|(_, up)| *up));
        // Loads are mostly chosen as powers, so they are drawn at equal distances.
        let mut chart = ChartBuilder::on(area)
            .caption(&self.caption, ("sans-serif", 20).into_font())
            .margin(16)
            .x_label_area_size(44)
            .y_label_area_size(72)
            .build_cartesian_2d(-1..loads, up.log_scale())?;
        let name = |load: &i32| {
            let name = usize::try_from(*load).ok();
            let name = name.and_then(|load| self.loads.get(load));
            name.cloned().unwrap_or_default()
        };
        chart
            .configure_mesh()
            .x_labels(self.loads.len().saturating_add(2))
            .x_label_formatter(&name)
            .y_label_formatter(&|up| up.to_string())
            .max_light_lines(1)
            .x_desc(self.across)
            .y_desc(self.up)
            .draw()?;
        for (index, line) in self.lines.iter().enumerate() {
            let style = Palette99::pick(index).stroke_width(2);
            let series = LineSeries::new(line.points.iter().copied(), style).point_size(3);
            chart
                .draw_series(series)?
                .label(&line.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK)
            .draw()?;
        Ok(())
    }
}

/// Figures of every side, as far as they can be on a logarithmic scale.
fn lines(outcome: &Outcome, figures: &[Figure]) -> Vec<Line> {
    let Some(first) = outcome.loads.first() else {
        return Vec::new();
    };
    let sides = first.sides.iter().enumerate();
    let pairs = sides.flat_map(|(side, series)| {
        let pair = move |figure: &Figure| (side, series, *figure);
        figures.iter().map(pair)
    });
    let line = |(side, series, figure): (usize, &Series, Figure)| Line {
        name: match figures {
            [_] => series.name.clone(),
            _ => format!("{} {}", series.name, figure.title().trim_end_matches(" ms")),
        },
        points: (0..)
            .zip(&outcome.loads)
            .filter_map(|(number, load)| {
                let median = load.sides.get(side)?.median.get(&figure)?;
                (0.0 < *median).then_some((number, *median))
            })
            .collect(),
    };
    pairs.map(line).collect()
}

/// All values, with room around them; something to draw on where there are none.
fn range(values: impl Iterator<Item = f64> + Clone) -> Range<f64> {
    let least = values.clone().reduce(f64::min).unwrap_or(1.0);
    let most = values.reduce(f64::max).unwrap_or(1.0);
    least * 0.8..most * 1.25
}
