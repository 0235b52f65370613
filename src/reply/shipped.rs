//! The shipped templates, inside the binary: it needs no file beside it to begin.

use std::{fs, io, io::Write as _, path::Path};

use super::source::Sources;

macro_rules! shipped {
    ($($path:literal,)+) => {
        &[$(($path, include_str!(concat!("../../sms-templates/", $path))),)+]
    };
}

const FILES: &[(&str, &str)] = shipped![
    "README.txt",
    "vi/answered.txt",
    "vi/old_card_matches.txt",
    "vi/old_card_differs.txt",
    "vi/refused.txt",
    "vi/full_number_needed.txt",
    "vi/misread.txt",
    "vi/how_to.txt",
    "vi/contact.txt",
    "vi/unavailable.txt",
    "vi/fields.txt",
    "en/answered.txt",
    "en/old_card_matches.txt",
    "en/old_card_differs.txt",
    "en/refused.txt",
    "en/full_number_needed.txt",
    "en/misread.txt",
    "en/how_to.txt",
    "en/contact.txt",
    "en/unavailable.txt",
    "en/fields.txt",
];

/// The set that comes with the program.
#[derive(Clone, Copy, Debug)]
pub struct Shipped;

impl Shipped {
    /// Writes the files into a folder, which is made if need be. A file that is there already is left alone: it may be
    /// an operator's work. Returns how many were written.
    ///
    /// # Errors
    /// The system's, when a folder or file cannot be made.
    pub fn write_to(dir: &Path) -> io::Result<usize> {
        let mut written = 0;
        for (name, text) in FILES {
            let path = dir.join(name);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            match fs::OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    file.write_all(text.as_bytes())?;
                    written += 1;
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }

    pub(super) fn sources() -> Sources {
        Sources::of(|name| FILES.iter().find(|(known, _)| *known == name).map(|(_, text)| text.as_bytes().to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_fills_a_folder_once_and_never_over_an_operators_file() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("vi")).unwrap();
        fs::write(dir.path().join("vi/refused.txt"), "mine").unwrap();
        assert_eq!(Shipped::write_to(dir.path()).unwrap(), FILES.len() - 1);
        assert_eq!(Shipped::write_to(dir.path()).unwrap(), 0);
        assert_eq!(fs::read_to_string(dir.path().join("vi/refused.txt")).unwrap(), "mine");
        for (name, text) in &FILES[..FILES.len() - 1] {
            if *name != "vi/refused.txt" {
                assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), *text, "{name}");
            }
        }
    }
}
