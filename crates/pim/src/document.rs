//! The tree of components (`BEGIN:…` to `END:…`) over the content lines of a file.

use crate::line::{Line, NAME_BYTES_MAX, read_lines};
use std::ops::RangeInclusive;

/// Deeper trees are carried as they are.
const DEPTH_MAX: usize = 16;

/// A vCard or iCalendar file, taken apart but not changed.
pub(crate) struct Document<'a> {
    pub(crate) preamble: &'a [u8],
    pub(crate) lines: Vec<Line<'a>>,
    pub(crate) components: Vec<Component>,
    /// Components that stand in no other.
    pub(crate) roots: Vec<usize>,
}

/// `BEGIN:NAME` to `END:NAME`; everything by index into the document.
#[derive(Debug)]
pub(crate) struct Component {
    /// Upper case.
    pub(crate) name: String,
    /// From the BEGIN line to the END line.
    pub(crate) lines: RangeInclusive<usize>,
    pub(crate) properties: Vec<usize>,
    pub(crate) children: Vec<usize>,
}

impl<'a> Document<'a> {
    /// `None` when the file is not a sequence of well-nested components.
    pub(crate) fn read(bytes: &'a [u8], has_groups: bool) -> Option<Self> {
        let read = read_lines(bytes, has_groups)?;
        let mut document =
            Self { preamble: read.preamble, lines: read.lines, components: Vec::new(), roots: Vec::new() };
        let mut open: Vec<usize> = Vec::new();
        for index in 0..document.lines.len() {
            let line = &document.lines[index];
            let value = || String::from_utf8_lossy(line.value().trim_ascii()).to_ascii_uppercase();
            if line.is("BEGIN") {
                if open.len() == DEPTH_MAX {
                    return None;
                }
                let name = value();
                if name.len() > NAME_BYTES_MAX {
                    return None;
                }
                let component = document.components.len();
                match open.last() {
                    Some(parent) => document.components[*parent].children.push(component),
                    None => document.roots.push(component),
                }
                open.push(component);
                let lines = index..=index;
                document.components.push(Component { name, lines, properties: Vec::new(), children: Vec::new() });
            } else if line.is("END") {
                let name = value();
                let component = &mut document.components[open.pop()?];
                if component.name != name {
                    return None;
                }
                component.lines = *component.lines.start()..=index;
            } else {
                let component = *open.last()?;
                document.components[component].properties.push(index);
            }
        }
        open.is_empty().then_some(document)
    }

    /// Lines of a component with this name, not those of components inside it.
    pub(crate) fn properties<'d>(&'d self, component: usize, name: &'d str) -> impl Iterator<Item = &'d Line<'a>> {
        let lines = self.components[component].properties.iter().map(|index| &self.lines[*index]);
        lines.filter(move |line| line.is(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_nest_and_know_their_lines() {
        let bytes = b"BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nEND:vevent\nEND:VCALENDAR\n";
        let document = Document::read(bytes, false).unwrap();
        let event = &document.components[document.components[document.roots[0]].children[0]];
        assert_eq!((event.name.as_str(), event.lines.clone(), &event.properties[..]), ("VEVENT", 2..=4, &[3][..]));
    }

    #[test]
    fn badly_nested_or_bottomless_files_are_refused() {
        let bottomless = "BEGIN:A\n".repeat(20) + &"END:A\n".repeat(20);
        for text in ["BEGIN:A\n", "END:A\n", "A:1\n", "BEGIN:A\nBEGIN:B\nEND:A\nEND:B\n", bottomless.as_str()] {
            assert!(Document::read(text.as_bytes(), false).is_none(), "{text}");
        }
    }
}
