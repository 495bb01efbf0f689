//! `subliminal completions` and `subliminal man`: what shells and readers of manuals want, made from the command line's own types, so
//! that it is never another one than the program has.

use std::path::PathBuf;

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, output};
use crate::error::{Error, Result};
use crate::tool::fs;

const NAME: &str = "subliminal";

/// Print a shell's completions.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  subliminal completions bash > ~/.local/share/bash-completion/completions/subliminal\n  \
    subliminal completions zsh > \"${fpath[1]}/_subliminal\"\n  \
    subliminal completions fish > ~/.config/fish/completions/subliminal.fish")]
pub(crate) struct CompletionArgs {
    /// The shell.
    shell: Shell,
}

pub(crate) fn completions(args: &CompletionArgs) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut script);
    output::data(&String::from_utf8_lossy(&script))
}

/// Print the manual page, or write one for each command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  subliminal man | man -l -\n  subliminal man --out ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// A folder for `subliminal.1`, `subliminal-run.1` and so on.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn man(args: &ManArgs) -> Result<()> {
    let failed = |e| Error::environment("cannot write the manual page").because(e);
    if let Some(out) = &args.out {
        fs::create_dir(out)?;
        return clap_mangen::generate_to(Cli::command(), out).map_err(failed);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(failed)?;
    output::data(&String::from_utf8_lossy(&page))
}
