//! What the translator says about the code of a module.

use crate::Error;
use linnet_abi::frames::{Code, Frames, Function, MAGIC, Place, Site, VERSION, ValueType};
use linnet_abi::module::Module;

/// A module's tables as slices.
#[derive(Debug, Clone, Copy)]
pub struct Tables<'m> {
    pub id: &'m [u8; 32],
    pub code: linnet_unwind::Tables<'m>,
    frames: &'m Frames,
    functions: &'m [Function],
    sites: &'m [Site],
    types: &'m [u8],
    places: &'m [Place],
    places_of: &'m [Code],
}

/// # Safety
/// `first` must point to `count` values that stay, or `count` be 0.
unsafe fn slice<'m, T>(first: *const T, count: u32) -> &'m [T] {
    if count == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { core::slice::from_raw_parts(first, count as usize) }
}

impl<'m> Tables<'m> {
    /// # Errors
    /// The module was translated without frames as data.
    ///
    /// # Safety
    /// `module` must be what the translator emitted.
    pub unsafe fn of(module: &'m Module) -> Result<Tables<'m>, Error> {
        // SAFETY: the translator emitted null or the tables.
        let frames = unsafe { module.frames.as_ref() }.ok_or(Error::NoTables)?;
        if frames.magic != MAGIC || frames.version != VERSION {
            return Err(Error::NoTables);
        }
        // SAFETY: the translator emitted that many.
        unsafe {
            Ok(Tables {
                id: &module.id,
                code: linnet_unwind::Tables::of(module),
                frames,
                functions: slice(frames.functions, frames.function_count),
                sites: slice(frames.sites, frames.site_count),
                types: slice(frames.types, frames.type_count),
                places: slice(frames.places, frames.place_count),
                places_of: slice(frames.code, frames.code_count),
            })
        }
    }

    /// The places behind a call: one for each frame that the native one stands for, the innermost first.
    #[must_use]
    pub fn places(&self, row: usize, offset: u32) -> &'m [Place] {
        let Some(code) = self.places_of.get(row) else { return &[] };
        let first = code.first_place as usize;
        let places = self.places.get(first..first + code.place_count as usize).unwrap_or_default();
        let first = places.partition_point(|p| p.offset < offset);
        let count = places[first..].iter().take_while(|p| p.offset == offset).count();
        &places[first..first + count]
    }

    /// Whether functions of the module have the convention of tail calls.
    #[must_use]
    pub fn tail_calls(&self) -> bool {
        self.frames.tail_calls != 0
    }

    /// A function that the module defines, by its wasm index.
    #[must_use]
    pub fn function(&self, index: u32) -> Option<&'m Function> {
        self.functions.get(index.checked_sub(self.frames.first_function)? as usize)
    }

    /// A site of it.
    #[must_use]
    pub fn site(&self, function: &Function, number: u32) -> Option<&'m Site> {
        (number < function.site_count)
            .then(|| self.sites.get(function.first_site as usize + number as usize))?
    }

    /// The site of a place, the wasm index of its function, and its number there.
    #[must_use]
    pub fn site_of(&self, place: &Place) -> Option<(&'m Site, u32, u32)> {
        let behind = self.functions.partition_point(|f| f.first_site <= place.site);
        let row = behind.checked_sub(1)?;
        let number = place.site - self.functions[row].first_site;
        let index = self.frames.first_function + row as u32;
        Some((self.sites.get(place.site as usize)?, index, number))
    }

    fn types(&self, first: u32, count: u32) -> impl Iterator<Item = ValueType> + Clone + use<'m> {
        let codes = self.types.get(first as usize..).unwrap_or_default();
        codes.iter().take(count as usize).filter_map(|code| ValueType::from_code(*code))
    }

    /// What a frame needs at a site.
    pub fn values(&self, site: &Site) -> impl Iterator<Item = ValueType> + Clone + use<'m> {
        self.types(site.first_value, site.value_count)
    }

    /// What the call of a site gives.
    pub fn awaited(&self, site: &Site) -> impl Iterator<Item = ValueType> + Clone + use<'m> {
        self.types(site.first_result, site.result_count)
    }

    /// What a function gives.
    pub fn results(&self, f: &Function) -> impl Iterator<Item = ValueType> + Clone + use<'m> {
        self.types(f.first_result, f.result_count)
    }

    /// Bytes of the largest frame that can be captured, without its return address.
    #[must_use]
    pub fn largest_frame(&self) -> usize {
        self.frames.largest_frame as usize
    }
}
