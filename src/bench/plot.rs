//! Charts in one SVG: latency and throughput against load, and against size where a ledger grew.

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

use super::case::Load;
use super::error::Error;
use super::outcome::{Figure, Growth, LoadOutcome, Outcome, Tenth};

const WIDTH: u32 = 900;
const CHART_HEIGHT: u32 = 480;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Failure = Box<dyn std::error::Error>;

/// A line in a chart: each point at the number of its place.
struct Line {
    name: String,
    points: Vec<(i32, f64)>,
}

/// What a chart shows, and how it is called.
struct Chart {
    caption: String,
    across: &'static str,
    up: &'static str,
    /// What each place is called below the chart.
    places: Vec<String>,
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
    let latencies = Figure::QUANTILES.map(|(figure, _)| figure);
    let throughput = [Figure::RequestsPerS];
    let mut charts = vec![
        Chart::of_loads(outcome, "latency", "ms", &latencies),
        Chart::of_loads(outcome, "throughput", "requests/s", &throughput),
    ];
    for growth in &outcome.growth {
        charts.extend(Chart::of_growth(growth));
    }
    let mut svg = String::new();
    {
        let height = CHART_HEIGHT.saturating_mul(u32::try_from(charts.len())?);
        let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        root.fill(&WHITE)?;
        for (chart, area) in charts.iter().zip(root.split_evenly((charts.len(), 1))) {
            chart.draw(&area)?;
        }
        root.present()?;
    }
    Ok(svg)
}

impl Chart {
    fn of_loads(outcome: &Outcome, what: &str, up: &'static str, figures: &[Figure]) -> Self {
        let is_open = outcome.loads.iter().any(|load| load.load.per_s.is_some());
        Self {
            caption: format!("{}: {what}", scenarios(outcome).join(", ")),
            across: if is_open {
                "requests/s that arrive"
            } else {
                "connections"
            },
            up,
            places: distinct(outcome.loads.iter().map(size_of)),
            lines: lines(outcome, figures),
        }
    }

    /// Latency, throughput and disk, after each tenth.
    fn of_growth(growth: &Growth) -> [Self; 3] {
        let line = |name: &str, value: &dyn Fn(&Tenth) -> Option<f64>| Line {
            name: name.to_owned(),
            points: (0..)
                .zip(growth.tenths.iter().map(value))
                .filter_map(|(place, value)| Some((place, value.filter(|value| 0.0 < *value)?)))
                .collect(),
        };
        let figure = |figure: Figure| {
            let value = |tenth: &Tenth| tenth.measurement.figures.get(&figure).copied();
            line(figure.title(), &value)
        };
        let chart = |what: &str, up: &'static str, lines: Vec<Line>| Self {
            caption: format!("growth of {}: {what}", growth.name),
            across: "entries written",
            up,
            places: growth
                .tenths
                .iter()
                .map(|tenth| tenth.entries.to_string())
                .collect(),
            lines,
        };
        let latencies = [Figure::P50, Figure::P99].map(figure).into();
        let throughput = vec![figure(Figure::RequestsPerS)];
        let disk = vec![line("bytes per entry", &|tenth| tenth.bytes_per_entry)];
        [
            chart("latency", "ms", latencies),
            chart("throughput", "requests/s", throughput),
            chart("disk", "bytes per entry", disk),
        ]
    }

    fn draw(&self, area: &Area<'_>) -> Result<(), Failure> {
        let places = i32::try_from(self.places.len())?;
        let points = self.lines.iter().flat_map(|line| line.points.iter());
        let up = range(points.map(|(_, up)| *up));
        // Loads are mostly chosen as powers, so places are drawn at equal distances.
        let mut chart = ChartBuilder::on(area)
            .caption(&self.caption, ("sans-serif", 20).into_font())
            .margin(16)
            .x_label_area_size(44)
            .y_label_area_size(72)
            .build_cartesian_2d(-1..places, up.log_scale())?;
        let name = |place: &i32| {
            let name = usize::try_from(*place).ok();
            let name = name.and_then(|place| self.places.get(place));
            name.cloned().unwrap_or_default()
        };
        chart
            .configure_mesh()
            .x_labels(self.places.len().saturating_add(2))
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

fn scenarios(outcome: &Outcome) -> Vec<&'static str> {
    distinct(outcome.loads.iter().map(|load| load.scenario))
}

/// What the place of a load is called.
fn size_of(load: &LoadOutcome) -> String {
    let Load { connections, per_s } = load.load;
    per_s.map_or_else(|| connections.to_string(), |per_s| per_s.to_string())
}

/// Each of them once, in the order in which they come.
fn distinct<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for one in all {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

/// Figures of every scenario on every side, as far as they can be on a logarithmic scale.
fn lines(outcome: &Outcome, figures: &[Figure]) -> Vec<Line> {
    let mut lines = Vec::new();
    let scenarios = scenarios(outcome);
    let places = distinct(outcome.loads.iter().map(size_of));
    for scenario in &scenarios {
        let loads = || {
            outcome
                .loads
                .iter()
                .filter(|load| load.scenario == *scenario)
        };
        let sides = loads().next().map(|load| load.sides.as_slice());
        for (side, series) in sides.unwrap_or_default().iter().enumerate() {
            for figure in figures {
                let point = |load: &LoadOutcome| {
                    let place = places.iter().position(|place| *place == size_of(load))?;
                    let median = load.sides.get(side)?.median.get(figure)?;
                    (0.0 < *median).then_some((i32::try_from(place).ok()?, *median))
                };
                let mut words = vec![series.name.as_str()];
                if 1 < scenarios.len() {
                    words.insert(0, scenario);
                }
                if 1 < figures.len() {
                    words.push(figure.title().trim_end_matches(" ms"));
                }
                lines.push(Line {
                    name: words.join(" "),
                    points: loads().filter_map(point).collect(),
                });
            }
        }
    }
    lines
}

/// All values, with room around them; something to draw on where there are none.
fn range(values: impl Iterator<Item = f64> + Clone) -> Range<f64> {
    let least = values.clone().reduce(f64::min).unwrap_or(1.0);
    let most = values.reduce(f64::max).unwrap_or(1.0);
    least * 0.8..most * 1.25
}
