//! What a run leaves behind: its figures as JSON, and a page that anyone can read.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use crate::html;
use crate::outcome::Outcome;

/// Where a run's figures go.
#[derive(Args, Clone, Debug, Default)]
pub struct Written {
    /// Where to write the figures as JSON; the page is written beside it. Without --json and --html both go to
    /// target/bench
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Where to write the page, if not beside the JSON
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// An earlier run's JSON, which the page shows beside this one
    #[arg(long, value_name = "FILE")]
    pub beside: Option<PathBuf>,
}

/// Where figures go if nothing else is asked for: a run that took minutes is not to be lost for want of an option.
const FOLDER: &str = "target/bench";

impl Written {
    /// Prints what a run came to, and writes it where that was asked for, or into the folder of all.
    pub fn write(&self, outcome: &Outcome) -> Result<()> {
        print!("{}", outcome.table().context("the figures can not be shown")?);
        let (json, page) = self.files(&outcome.scenario);
        if self.json.is_none() && self.html.is_none() {
            std::fs::create_dir_all(FOLDER).with_context(|| format!("{FOLDER} can not be made"))?;
        }
        if let Some(file) = &json {
            outcome.write(file)?;
            println!("  the figures as JSON: {}", file.display());
        }
        self.write_page(&page, outcome)
    }

    /// The files of the figures and of the page.
    fn files(&self, scenario: &str) -> (Option<PathBuf>, PathBuf) {
        match (&self.json, &self.html) {
            (json, Some(page)) => (json.clone(), page.clone()),
            (Some(json), None) => (Some(json.clone()), json.with_extension("html")),
            (None, None) => {
                let json = Path::new(FOLDER).join(scenario).with_extension("json");
                (Some(json.clone()), json.with_extension("html"))
            }
        }
    }

    fn write_page(&self, page: &Path, outcome: &Outcome) -> Result<()> {
        let earlier = self.beside.as_deref().map(Outcome::read).transpose()?;
        let text = html::page(outcome, earlier.as_ref());
        std::fs::write(page, text).with_context(|| format!("{} can not be written", page.display()))?;
        println!("  read it as a page: {}", page.display());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_leaves_its_figures_and_its_page_even_unasked() {
        let files = |json: Option<&str>, page: Option<&str>| {
            let written = Written {
                json: json.map(PathBuf::from),
                html: page.map(PathBuf::from),
                beside: None,
            };
            let (json, page) = written.files("stall");
            let text = |path: PathBuf| path.display().to_string();
            (json.map(text), text(page))
        };
        let both = |json: Option<&str>, page: &str| (json.map(str::to_owned), page.to_owned());
        let (json, page) = ("target/bench/stall.json", "target/bench/stall.html");
        assert_eq!(files(None, None), both(Some(json), page));
        assert_eq!(files(Some("a.json"), None), both(Some("a.json"), "a.html"));
        assert_eq!(files(None, Some("b.html")), both(None, "b.html"));
        assert_eq!(files(Some("a.json"), Some("b.html")), both(Some("a.json"), "b.html"));
    }
}
