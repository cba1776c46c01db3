//! Things by the tokens that the host's kernel tells them by.

use alloc::vec::Vec;

/// What a token is of: in its upper four bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Kind {
    Connection = 1 << 60,
    Listener = 2 << 60,
    Exchange = 3 << 60,
    DatagramListener = 4 << 60,
}

const KIND: u64 = 0xf << 60;
const COUNT: u64 = 0xfff_ffff;

impl Kind {
    pub fn of(token: u64) -> Option<Kind> {
        let kinds = [Kind::Connection, Kind::Listener, Kind::Exchange, Kind::DatagramListener];
        kinds.into_iter().find(|kind| *kind as u64 == token & KIND)
    }

    pub fn token(self, n: usize) -> u64 {
        self as u64 | n as u64
    }
}

/// The number of a token.
pub fn index(token: u64) -> usize {
    token as u32 as usize
}

/// Things whose tokens are not used again soon: an event may be older than what has its place.
#[derive(Debug)]
pub struct Table<T> {
    kind: Kind,
    places: Vec<Option<(u64, T)>>,
    free: Vec<u32>,
    count: u64,
}

impl<T> Table<T> {
    pub fn new(kind: Kind) -> Table<T> {
        Table { kind, places: Vec::new(), free: Vec::new(), count: 0 }
    }

    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// The token that [`Table::insert`] gives out next.
    pub fn next_token(&self) -> u64 {
        let n = self.free.last().map_or(self.places.len(), |n| *n as usize);
        self.kind.token(n) | (self.count & COUNT) << 32
    }

    pub fn insert(&mut self, thing: T) -> u64 {
        let token = self.next_token();
        self.count += 1;
        match self.free.pop() {
            Some(n) => self.places[n as usize] = Some((token, thing)),
            None => self.places.push(Some((token, thing))),
        }
        token
    }

    pub fn get_mut(&mut self, token: u64) -> Option<&mut T> {
        let place = self.places.get_mut(index(token))?.as_mut();
        place.filter(|(known, _)| *known == token).map(|(_, thing)| thing)
    }

    pub fn remove(&mut self, token: u64) -> Option<T> {
        self.get_mut(token)?;
        self.free.push(index(token) as u32);
        self.places[index(token)].take().map(|(_, thing)| thing)
    }

    pub fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.places.iter().flatten().map(|(token, thing)| (*token, thing))
    }

    pub fn clear(&mut self) {
        self.places.clear();
        self.free.clear();
    }
}
