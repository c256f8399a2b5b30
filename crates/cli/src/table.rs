//! Columns side by side.

use crate::words::printable;
use unicode_width::UnicodeWidthStr as _;

/// A table. The first row is its head.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<Cell>>,
}

/// A cell: words stand left, amounts right.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Left(String),
    Right(String),
}

impl Table {
    pub(crate) fn new<const N: usize>(head: [Cell; N]) -> Self {
        Self { rows: vec![head.to_vec()] }
    }

    pub(crate) fn add<const N: usize>(&mut self, row: [Cell; N]) {
        self.rows.push(row.to_vec());
    }

    /// One line a row, columns two spaces apart, nothing after the last word of a line.
    pub(crate) fn print(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(Cell::width).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        let mut text = String::new();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| cell.padded(*width));
            let line = cells.collect::<Vec<_>>().join("  ");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

impl Cell {
    pub(crate) fn left(text: impl AsRef<str>) -> Self {
        Self::Left(printable(text.as_ref()))
    }

    pub(crate) fn right(text: impl AsRef<str>) -> Self {
        Self::Right(printable(text.as_ref()))
    }

    fn width(&self) -> usize {
        match self {
            Self::Left(text) | Self::Right(text) => text.width(),
        }
    }

    fn padded(&self, width: usize) -> String {
        let gap = " ".repeat(width.saturating_sub(self.width()));
        match self {
            Self::Left(text) => format!("{text}{gap}"),
            Self::Right(text) => format!("{gap}{text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_also_with_wide_letters() {
        let mut table = Table::new([Cell::left("folder"), Cell::right("items")]);
        table.add([Cell::left("予定表"), Cell::right("12")]);
        table.add([Cell::left("Büro\n"), Cell::right("1,204")]);
        assert_eq!(table.print(), "folder  items\n予定表     12\nBüro\u{fffd}   1,204\n");
    }
}
