//! Two sides whose items are joined one to one, rule after rule.
//!
//! Each side is put into an order of its own first, so that the outcome doesn't depend on the order in which items were
//! given. Every rule then names keys, and what is still open on both sides under an equal key is joined. Sorting by
//! key, rather than comparing everyone with everyone, keeps that near-linear.

/// Two sides and what is still open on each.
pub(crate) struct Sides<'a, T> {
    left: Side<'a, T>,
    right: Side<'a, T>,
}

/// What to do with the items that share a key.
#[derive(Clone, Copy)]
pub(crate) enum Among {
    /// Join the first of one side with the first of the other, the second with the second, while both have some.
    Several,
    /// Join only if there is exactly one on each side.
    Two,
}

impl<'a, T> Sides<'a, T> {
    /// Both sides, each put in order of `rank`, which should tell any two items of a side apart.
    pub(crate) fn new<R: Ord>(left: &'a [T], right: &'a [T], rank: impl Fn(&'a T) -> R) -> Self {
        Self { left: Side::new(left, &rank), right: Side::new(right, &rank) }
    }

    /// Takes out of each side what its condition doesn't hold for.
    pub(crate) fn keep(&mut self, left: impl Fn(&T) -> bool, right: impl Fn(&T) -> bool) {
        self.left.keep(left);
        self.right.keep(right);
    }

    /// Joins open items that share a key, and returns their places in the slices the sides were made of.
    pub(crate) fn join<K: Ord, I: IntoIterator<Item = K>>(
        &mut self,
        among: Among,
        keys: impl Fn(&'a T) -> I,
    ) -> Vec<(usize, usize)> {
        let (left, right) = (self.left.open_by(&keys), self.right.open_by(&keys));
        let mut joined = Vec::new();
        let mut rest = right.as_slice();
        for left in left.chunk_by(|a, b| a.0 == b.0) {
            let key = &left[0].0;
            rest = &rest[rest.partition_point(|(other, _)| other < key)..];
            let (right, after) = rest.split_at(rest.partition_point(|(other, _)| other == key));
            rest = after;
            self.join_group(among, left, right, &mut joined);
        }
        joined
    }

    fn join_group<K>(
        &mut self,
        among: Among,
        left: &[(K, usize)],
        right: &[(K, usize)],
        joined: &mut Vec<(usize, usize)>,
    ) {
        // Whoever has several keys may have been joined under an earlier one.
        let left: Vec<usize> = left.iter().map(|(_, rank)| *rank).filter(|rank| self.left.items[*rank].open).collect();
        let right: Vec<usize> =
            right.iter().map(|(_, rank)| *rank).filter(|rank| self.right.items[*rank].open).collect();
        if matches!(among, Among::Two) && (left.len(), right.len()) != (1, 1) {
            return;
        }
        for (left, right) in left.into_iter().zip(right) {
            joined.push((self.left.close(left), self.right.close(right)));
        }
    }
}

struct Side<'a, T> {
    items: Vec<Ranked<'a, T>>,
}

struct Ranked<'a, T> {
    item: &'a T,
    place: usize,
    open: bool,
}

impl<'a, T> Side<'a, T> {
    fn new<R: Ord>(items: &'a [T], rank: impl Fn(&'a T) -> R) -> Self {
        let mut items: Vec<_> =
            items.iter().enumerate().map(|(place, item)| Ranked { item, place, open: true }).collect();
        items.sort_by_key(|ranked| rank(ranked.item));
        Self { items }
    }

    /// The ranks of open items under their keys, sorted by both.
    fn open_by<K: Ord, I: IntoIterator<Item = K>>(&self, keys: impl Fn(&'a T) -> I) -> Vec<(K, usize)> {
        let open = self.items.iter().enumerate().filter(|(_, ranked)| ranked.open);
        let mut keyed: Vec<_> =
            open.flat_map(|(rank, ranked)| keys(ranked.item).into_iter().map(move |key| (key, rank))).collect();
        keyed.sort_unstable();
        keyed.dedup();
        keyed
    }

    fn keep(&mut self, condition: impl Fn(&T) -> bool) {
        for ranked in &mut self.items {
            ranked.open &= condition(ranked.item);
        }
    }

    fn close(&mut self, rank: usize) -> usize {
        let ranked = &mut self.items[rank];
        ranked.open = false;
        ranked.place
    }
}
