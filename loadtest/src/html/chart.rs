//! A chart of lines, drawn as SVG.

use std::fmt::Write;

use super::{escaped, shown};

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 250.0;
/// Room for the words of the axes.
const LEFT: f64 = 52.0;
const BOTTOM: f64 = 26.0;
const TOP: f64 = 10.0;
const RIGHT: f64 = 14.0;

/// How numbers lie on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Even steps from nothing on, in this unit.
    From0(&'static str),
    /// A step is ten times as much, in this unit.
    Log(&'static str),
    /// Shares; a step is one more nine: 90 %, 99 %, 99.9 %.
    Nines,
}

/// A line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    label: String,
    class: &'static str,
    points: Vec<(f64, f64)>,
}

impl Line {
    /// A line with its name and its look.
    pub fn new(label: &str, class: &'static str, points: Vec<(f64, f64)>) -> Self {
        Self {
            label: label.to_owned(),
            class,
            points,
        }
    }
}

/// A chart.
pub struct Chart<'a> {
    /// What it shows.
    pub title: &'a str,
    /// How to read it.
    pub explained: &'a str,
    /// From left to right.
    pub x: Scale,
    /// From bottom to top.
    pub y: Scale,
    /// The lines; without any there is no chart.
    pub lines: Vec<Line>,
}

/// An axis: where its numbers lie, and which of them are written down.
struct Axis {
    scale: Scale,
    from: f64,
    to: f64,
    /// Where the axis begins and ends in the picture.
    place: (f64, f64),
}

impl Chart<'_> {
    /// The chart with its words, or nothing if there is nothing to draw.
    pub fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        if points().count() < 2 {
            return String::new();
        }
        let x = Axis::new(self.x, points().map(|point| point.0), (LEFT, WIDTH - RIGHT));
        let y = Axis::new(self.y, points().map(|point| point.1), (HEIGHT - BOTTOM, TOP));
        let mut svg = format!(
            "<figure>\n<h3>{title}</h3>\n<p>{}</p>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">\n",
            escaped(self.explained),
            title = escaped(self.title)
        );
        for (at, label) in x.ticks() {
            let middle = HEIGHT - 8.0;
            let _ = writeln!(
                svg,
                "<text x=\"{at:.0}\" y=\"{middle}\" text-anchor=\"middle\">{label}</text>"
            );
        }
        for (at, label) in y.ticks() {
            let (end, below, right) = (WIDTH - RIGHT, at + 4.0, LEFT - 6.0);
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{end}\" y2=\"{at:.1}\"/>\
                 <text x=\"{right}\" y=\"{below:.1}\" text-anchor=\"end\">{label}</text>"
            );
        }
        for line in &self.lines {
            for run in unbroken(&line.points, self.x) {
                let places: Vec<String> = run
                    .iter()
                    .map(|(a, b)| format!("{:.1},{:.1}", x.at(*a), y.at(*b)))
                    .collect();
                let _ = writeln!(
                    svg,
                    "<polyline class=\"{}\" points=\"{}\"/>",
                    line.class,
                    places.join(" ")
                );
            }
        }
        svg += "</svg>\n<figcaption>";
        for line in &self.lines {
            let _ = write!(
                svg,
                "<span class=\"key {}\">{}</span> ",
                line.class,
                escaped(&line.label)
            );
        }
        svg + "</figcaption>\n</figure>\n"
    }
}

/// The parts of a line over time between which nothing was measured.
fn unbroken(points: &[(f64, f64)], scale: Scale) -> Vec<&[(f64, f64)]> {
    if scale != Scale::From0("s") {
        return vec![points];
    }
    let steps = points.windows(2).map(|pair| pair[1].0 - pair[0].0);
    let usual = steps.fold(f64::MAX, f64::min);
    points.chunk_by(|a, b| b.0 - a.0 <= usual * 1.5).collect()
}

impl Axis {
    fn new(scale: Scale, values: impl Iterator<Item = f64> + Clone, place: (f64, f64)) -> Self {
        let most = values.clone().fold(f64::MIN, f64::max);
        let least = values.fold(f64::MAX, f64::min);
        let (from, to) = match scale {
            Scale::From0(_) => (0.0, step(most) * (most / step(most)).ceil()),
            Scale::Log(_) => {
                let lowest = least.max(0.001).log10().floor();
                (lowest, most.max(0.001).log10().ceil().max(lowest + 1.0))
            }
            // Ten thousand of ten thousand and one is as far as a picture goes.
            Scale::Nines => (0.0, 5.0),
        };
        Self { scale, from, to, place }
    }

    fn at(&self, value: f64) -> f64 {
        let value = match self.scale {
            Scale::From0(_) => value,
            Scale::Log(_) => value.max(0.001).log10(),
            Scale::Nines => -(1.0 - value).max(1e-5).log10(),
        };
        let part = (value - self.from) / (self.to - self.from).max(f64::MIN_POSITIVE);
        self.place.0 + part * (self.place.1 - self.place.0)
    }

    /// Where a number is written, and what.
    fn ticks(&self) -> Vec<(f64, String)> {
        match self.scale {
            Scale::Nines => [
                (0.5, "50 %"),
                (0.9, "90 %"),
                (0.99, "99 %"),
                (0.999, "99.9 %"),
                (0.9999, "99.99 %"),
            ]
            .map(|(share, label)| (self.at(share), label.to_owned()))
            .to_vec(),
            Scale::Log(unit) => {
                let mut powers = Vec::new();
                let mut power = self.from;
                while power <= self.to {
                    let value = 10_f64.powf(power);
                    powers.push((self.at(value), format!("{} {unit}", short(value))));
                    power += 1.0;
                }
                powers
            }
            Scale::From0(unit) => {
                let mut values = Vec::new();
                let mut value = 0.0;
                while value <= self.to * 1.001 {
                    values.push((self.at(value), format!("{} {unit}", short(value))));
                    value += step(self.to);
                }
                values
            }
        }
    }
}

/// Short enough for an axis.
fn short(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{}M", shown(value / 1e6)),
        value if value >= 10_000.0 => format!("{}k", shown(value / 1e3)),
        value if value < 0.01 && value > 0.0 => format!("{value}"),
        value => shown(value),
    }
}

/// A round step that divides what an axis holds into four or five.
fn step(most: f64) -> f64 {
    let power = 10_f64.powf((most.max(0.001) / 5.0).log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
    let fits = steps.into_iter().find(|step| step * power * 5.0 >= most);
    fits.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_begins_and_ends_where_the_picture_does() {
        let axis = Axis::new(Scale::From0("s"), [3.0, 42.0].into_iter(), (50.0, 450.0));
        assert_eq!((axis.at(0.0), axis.at(50.0)), (50.0, 450.0));
        assert_eq!(axis.ticks().last().unwrap().1, "50 s");
        let log = Axis::new(Scale::Log("ms"), [0.2, 70.0].into_iter(), (200.0, 0.0));
        assert_eq!((log.at(0.1), log.at(100.0)), (200.0, 0.0));
        assert!(log.at(1.0) < log.at(0.5), "more is higher up");
        let nines = Axis::new(Scale::Nines, [0.5, 1.0].into_iter(), (0.0, 100.0));
        assert!((nines.at(0.99) - 40.0).abs() < 1e-6);
        assert_eq!(nines.at(1.0), 100.0, "all of them end at the edge");
    }
}
