//! An output file that takes its name only when it is whole: written beside its place, renamed at the end, removed after a failure.
//! Terminals, pipes and `/dev/null` are written to directly.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::tool::fs::{is_device, resolved};

/// Where rows go.
pub(super) struct Output {
    /// `None` where no one wants them.
    open: Option<Open>,
}

struct Open {
    path: PathBuf,
    file: File,
    /// The file's name until it is whole; `None` for devices.
    aside: Option<PathBuf>,
}

impl Output {
    /// Opens an output, or none.
    pub(super) fn open(path: Option<&Path>) -> Result<Self> {
        Ok(Self { open: path.map(Open::create).transpose()? })
    }

    /// Appends bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.file.write_all(bytes).map_err(|e| Error::io("write", &open.path, e))
    }

    /// Gives the file its name.
    pub(super) fn finish(mut self) -> Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let Some(aside) = &open.aside else { return Ok(()) };
        open.file.sync_all().and_then(|()| fs::rename(aside, &open.path)).map_err(|e| Error::io("write", &open.path, e))?;
        open.aside = None;
        Ok(())
    }
}

impl Open {
    fn create(path: &Path) -> Result<Self> {
        let path = resolved(path);
        let device = is_device(&path);
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let aside = (!device).then(|| path.with_file_name(format!(".{name}.{}.part", std::process::id())));
        let opened = match &aside {
            Some(aside) => File::create(aside),
            None => fs::OpenOptions::new().write(true).open(&path),
        };
        let file = opened.map_err(|e| Error::io("create", &path, e))?;
        Ok(Self { path, file, aside })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(aside) = &self.aside {
            let _ = fs::remove_file(aside); // what failed is reported already; the remains only take room
        }
    }
}
