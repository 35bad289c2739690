//! What a run leaves behind: its figures as JSON, and a page that anyone can read.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use crate::html;
use crate::outcome::Outcome;

/// Where a run's figures go.
#[derive(Args, Clone, Debug, Default)]
pub struct Written {
    /// Where to write the figures as JSON; the page is written beside it
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Where to write the page, if not beside the JSON
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// An earlier run's JSON, which the page shows beside this one
    #[arg(long, value_name = "FILE")]
    pub beside: Option<PathBuf>,
}

impl Written {
    /// Prints what a run came to, and writes it where that was asked for.
    pub fn write(&self, outcome: &Outcome) -> Result<()> {
        print!("{}", outcome.table().context("the figures can not be shown")?);
        if let Some(file) = &self.json {
            outcome.write(file)?;
        }
        let beside_json = || self.json.as_deref().map(|file| file.with_extension("html"));
        match self.html.clone().or_else(beside_json) {
            Some(page) => self.write_page(&page, outcome),
            None => Ok(()),
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
