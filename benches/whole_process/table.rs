//! The one table that is printed.

/// What a figure should be.
#[derive(Clone, Copy)]
pub enum Target {
    /// At most so many times the floor.
    Ratio(f64),
    /// At most so much.
    AtMost(f64),
    /// Measured to be looked at.
    None,
}

/// One figure.
pub struct Row {
    /// What was measured, and its unit.
    pub figure: &'static str,
    /// Of the floor, where that has it.
    pub floor: Option<f64>,
    /// Of the server; nothing where the system does not tell it.
    pub ours: Option<f64>,
    /// What it should be.
    pub target: Target,
}

impl Row {
    /// A figure that both have.
    pub fn both(figure: &'static str, floor: f64, ours: f64, target: Target) -> Self {
        Self { figure, floor: Some(floor), ours: Some(ours), target }
    }

    /// A figure that the floor does not have.
    pub fn ours(figure: &'static str, ours: Option<f64>, target: Target) -> Self {
        Self { figure, floor: None, ours, target }
    }

    fn cells(&self) -> [String; 6] {
        let ratio = self.ours.zip(self.floor).map(|(ours, floor)| ours / floor);
        let (target, met) = match self.target {
            Target::Ratio(most) => (format!("≤ {most} ×"), ratio.map(|ratio| ratio <= most)),
            Target::AtMost(most) => (format!("≤ {most}"), self.ours.map(|ours| ours <= most)),
            Target::None => (String::new(), None),
        };
        let met = met.map_or("", |met| if met { "met" } else { "missed" });
        let number = |value: Option<f64>| value.map_or("–".to_owned(), number);
        let ratio = ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
        [self.figure.to_owned(), number(self.floor), number(self.ours), ratio, target, met.to_owned()]
    }
}

fn number(value: f64) -> String {
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Prints the table.
pub fn print(rows: &[Row]) {
    let head = ["figure", "floor", "ours", "ratio", "target", ""].map(str::to_owned);
    let cells: Vec<[String; 6]> = rows.iter().map(Row::cells).collect();
    let width = |at: usize| cells.iter().chain([&head]).map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let line = |row: &[String; 6]| {
        let cell = |at: usize| {
            let fill = " ".repeat(widths[at] - row[at].chars().count());
            if (1..4).contains(&at) { format!("{fill}{}", row[at]) } else { format!("{}{fill}", row[at]) }
        };
        format!("| {} |", std::array::from_fn::<_, 6, _>(cell).join(" | "))
    };
    println!("{}", line(&head));
    let rule =
        |at: usize| if (1..4).contains(&at) { "-".repeat(widths[at] + 1) + ":" } else { "-".repeat(widths[at] + 2) };
    println!("|{}|", std::array::from_fn::<_, 6, _>(rule).join("|"));
    for row in &cells {
        println!("{}", line(row));
    }
}
