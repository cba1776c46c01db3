//! A translated program that lacks nothing but addresses: its own, and those of the runtime's functions.

use linnet_abi::translator::{ALIGN, IMPORTS};

use crate::error::{Error, Result};

/// What the kernel must know to start the program: see `linnet_abi::exec`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) image_address: u64,
    pub(crate) image_size: u64,
    pub(crate) memory_end: u64,
    pub(crate) heap_base: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Linked {
    pub(crate) memory: Memory,
    /// Where the `linnet_abi::module::Module` begins.
    pub(crate) descriptor: u64,
    /// Length of the code, which comes first.
    pub(crate) code_size: u64,
    /// Code, and from the next multiple of [`ALIGN`] on tables.
    pub(crate) bytes: Vec<u8>,
    /// Words that hold the address of another place: where, and of which.
    pub(crate) places: Vec<[u32; 2]>,
    /// Words that hold the address of an import: where, and of which.
    pub(crate) imports: Vec<[u32; 2]>,
}

/// Words before the contents.
const HEAD: usize = 9;

impl Linked {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let Memory { image_address, image_size, memory_end, heap_base } = self.memory;
        let head: [u64; HEAD] = [
            image_address,
            image_size,
            memory_end,
            heap_base,
            self.descriptor,
            self.code_size,
            self.bytes.len() as u64,
            self.places.len() as u64,
            self.imports.len() as u64,
        ];
        let mut bytes: Vec<u8> = head.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend_from_slice(&self.bytes);
        let pairs = self.places.iter().chain(&self.imports).flatten();
        bytes.extend(pairs.flat_map(|word| word.to_le_bytes()));
        bytes
    }

    /// Whoever has made the bytes may be anybody: all places are checked.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::parse(bytes).ok_or_else(|| Error::new("the translated code is damaged"))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(8 * HEAD)?;
        let mut head = head.chunks_exact(8).map(|word| word.try_into().map(u64::from_le_bytes));
        let mut word = || head.next()?.ok();
        let memory = Memory {
            image_address: word()?,
            image_size: word()?,
            memory_end: word()?,
            heap_base: word()?,
        };
        let (descriptor, code_size) = (word()?, word()?);
        let [size, places, imports] = [word()?, word()?, word()?].map(usize::try_from);
        let (contents, rest) = rest.split_at_checked(size.ok()?)?;
        let (places_part, imports_part) = rest.split_at_checked(places.ok()?.checked_mul(8)?)?;
        if imports_part.len() != imports.ok()?.checked_mul(8)? {
            return None;
        }
        let linked = Linked {
            memory,
            descriptor,
            code_size,
            bytes: contents.to_vec(),
            places: pairs(places_part),
            imports: pairs(imports_part),
        };
        linked.is_consistent().then_some(linked)
    }

    fn is_consistent(&self) -> bool {
        let size = self.bytes.len() as u64;
        let fits = |at: u32| u64::from(at) + 8 <= size;
        let module = size_of::<linnet_abi::module::Module>() as u64;
        // What the machine reads of it lies behind the code.
        self.code_size <= size
            && self.descriptor >= self.code_size.next_multiple_of(ALIGN)
            && self.descriptor.is_multiple_of(8)
            && self.descriptor.checked_add(module).is_some_and(|end| end <= size)
            && self.places.iter().all(|[at, of]| fits(*at) && u64::from(*of) <= size)
            && self.imports.iter().all(|[at, of]| fits(*at) && (*of as usize) < IMPORTS)
    }

    /// The bytes as they are where they lie at `address`.
    pub(crate) fn placed(mut self, address: u64, imports: &[u64; IMPORTS]) -> Vec<u8> {
        let places = self.places.iter().map(|[at, of]| (*at, address + u64::from(*of)));
        let imports = self.imports.iter().map(|[at, of]| (*at, imports[*of as usize]));
        for (at, value) in places.chain(imports) {
            self.bytes[at as usize..at as usize + 8].copy_from_slice(&value.to_le_bytes());
        }
        self.bytes
    }
}

fn pairs(bytes: &[u8]) -> Vec<[u32; 2]> {
    let word = |bytes: &[u8]| bytes.try_into().map_or(0, u32::from_le_bytes);
    bytes.chunks_exact(8).map(|pair| [word(&pair[..4]), word(&pair[4..])]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Linked {
        let bytes = vec![1; 2 * ALIGN as usize];
        Linked {
            memory: Memory { image_address: 1, image_size: 2, memory_end: 3, heap_base: 4 },
            descriptor: ALIGN,
            code_size: 40,
            bytes,
            places: vec![[ALIGN as u32, 16]],
            imports: vec![[32, 3]],
        }
    }

    #[test]
    fn bytes_give_back_what_they_were_made_of() {
        let linked = sample();
        assert_eq!(Linked::from_bytes(&linked.to_bytes()).ok(), Some(linked));
    }

    #[test]
    fn addresses_are_put_where_they_belong() {
        let placed = sample().placed(0x10_0000, &std::array::from_fn(|n| 0x100 + n as u64));
        assert_eq!(placed[32..40], 0x103_u64.to_le_bytes());
        assert_eq!(placed[ALIGN as usize..][..8], 0x10_0010_u64.to_le_bytes());
        assert_eq!(placed[40], 1);
    }

    #[test]
    fn damage_is_found() {
        let damaged = |change: fn(&mut Linked)| {
            let mut linked = sample();
            change(&mut linked);
            Linked::from_bytes(&linked.to_bytes()).is_err()
        };
        assert!(damaged(|linked| linked.places[0][0] = 2 * ALIGN as u32 - 7));
        assert!(damaged(|linked| linked.places[0][1] = u32::MAX));
        assert!(damaged(|linked| linked.imports[0][1] = IMPORTS as u32));
        assert!(damaged(|linked| linked.descriptor = 0));
        assert!(damaged(|linked| linked.descriptor = u64::MAX - 7));
        assert!(damaged(|linked| linked.code_size = u64::MAX));
        let bytes = sample().to_bytes();
        for length in [0, 8, 8 * HEAD, bytes.len() - 1] {
            assert!(Linked::from_bytes(&bytes[..length]).is_err(), "{length}");
        }
    }
}
