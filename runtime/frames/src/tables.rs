//! What the translator says about the code of a module.

use crate::Error;
use linnet_abi::frames::{
    CapturePoint, Code, Frames, Function, MAGIC, NativePoint, VERSION, ValueType,
};
use linnet_abi::module::Module;

/// A module's tables as slices.
#[derive(Debug, Clone, Copy)]
pub struct Tables<'m> {
    pub id: &'m [u8; 32],
    pub code: linnet_unwind::Tables<'m>,
    frames: &'m Frames,
    functions: &'m [Function],
    points: &'m [CapturePoint],
    types: &'m [u8],
    native_points: &'m [NativePoint],
    points_of: &'m [Code],
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
                points: slice(frames.points, frames.point_count),
                types: slice(frames.types, frames.type_count),
                native_points: slice(frames.native_points, frames.native_point_count),
                points_of: slice(frames.code, frames.code_count),
            })
        }
    }

    /// The capture points of a call: one for each frame that the native one stands for, the innermost first.
    #[must_use]
    pub fn native_points(&self, row: usize, offset: u32) -> &'m [NativePoint] {
        let Some(code) = self.points_of.get(row) else { return &[] };
        let first = code.first_native_point as usize;
        let native_points = self
            .native_points
            .get(first..first + code.native_point_count as usize)
            .unwrap_or_default();
        let first = native_points.partition_point(|p| p.offset < offset);
        let count = native_points[first..].iter().take_while(|p| p.offset == offset).count();
        &native_points[first..first + count]
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

    /// A capture point of it.
    #[must_use]
    pub fn point(&self, function: &Function, number: u32) -> Option<&'m CapturePoint> {
        (number < function.point_count)
            .then(|| self.points.get(function.first_point as usize + number as usize))?
    }

    /// The capture point of a native one, the wasm index of its function, and its number there.
    #[must_use]
    pub fn point_of(&self, native_point: &NativePoint) -> Option<(&'m CapturePoint, u32, u32)> {
        let behind = self.functions.partition_point(|f| f.first_point <= native_point.point);
        let row = behind.checked_sub(1)?;
        let number = native_point.point - self.functions[row].first_point;
        let index = self.frames.first_function + row as u32;
        Some((self.points.get(native_point.point as usize)?, index, number))
    }

    fn types(&self, first: u32, count: u32) -> impl Iterator<Item = ValueType> + Clone + use<'m> {
        let codes = self.types.get(first as usize..).unwrap_or_default();
        codes.iter().take(count as usize).filter_map(|code| ValueType::from_code(*code))
    }

    /// What a frame needs at a capture point.
    pub fn values(
        &self,
        point: &CapturePoint,
    ) -> impl Iterator<Item = ValueType> + Clone + use<'m> {
        self.types(point.first_value, point.value_count)
    }

    /// What the call of a capture point gives.
    pub fn awaited(
        &self,
        point: &CapturePoint,
    ) -> impl Iterator<Item = ValueType> + Clone + use<'m> {
        self.types(point.first_result, point.result_count)
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
