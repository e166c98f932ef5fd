//! Plain tables: columns as wide as their widest cell.

/// Lines of a table; numbers are written by the caller.
pub(crate) fn render(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
        cells.chain(head.get(at).map(|cell| cell.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> =
            cells.zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&mut head.iter().copied())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

/// A limit as a cell; `-` is none.
pub(crate) fn limit(limit: Option<u64>) -> String {
    limit.map_or("-".to_owned(), |limit| limit.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["1".to_owned(), "long cell".to_owned()], vec!["200".to_owned(), "x".to_owned()]];
        assert_eq!(render(&["ID", "WHAT"], &rows), "ID   WHAT\n1    long cell\n200  x");
    }
}
