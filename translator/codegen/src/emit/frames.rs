//! The tables in the object: `linnet_abi::frames::Frames` and what it points to.

use super::table::{Address, Table, fields};
use crate::compile;
use crate::frames::CapturePoint;
use crate::func::Compiled;
use linnet_abi::frames::{
    CapturePoint as Row, Code, Frames, Function, MAGIC, NativePoint, VERSION, ValueType,
};
use std::collections::HashMap;
use std::mem::offset_of;

/// A function that the module defines, and what it gives.
pub(super) struct Own<'c> {
    pub compiled: &'c Compiled,
    pub results: Vec<ValueType>,
    pub resume: Option<Address>,
}

/// Tables under construction.
#[derive(Default)]
pub(super) struct Tables {
    pub functions: Table,
    pub points: Table,
    pub types: Table,
    pub native_points: Table,
    pub code: Table,
    counts: Counts,
    /// Lists of types that are there already.
    known: HashMap<Vec<ValueType>, u32>,
}

#[derive(Default)]
struct Counts {
    functions: u32,
    points: u32,
    native_points: u32,
    code: u32,
    largest_frame: u32,
    most_words: u32,
}

impl Tables {
    /// Adds functions in the order of their indices, and gives the first capture point of each.
    pub(super) fn functions<'c>(&mut self, functions: impl Iterator<Item = Own<'c>>) -> Vec<u32> {
        let mut firsts = Vec::new();
        for Own { compiled, results, resume } in functions {
            let row = self.functions.row::<Function>();
            if let Some(resume) = resume {
                self.functions.put_address(row + offset_of!(Function, resume), resume);
            }
            let frame_size = compiled.resume.as_ref().map_or(0, |code| code.frame_size + 16);
            let (first_point, first_result) = (self.counts.points, self.types(&results));
            let table = &mut self.functions;
            fields!(
                table,
                row,
                Function {
                    frame_size: frame_size,
                    first_point: first_point,
                    point_count: compiled.capture_points.len() as u32,
                    first_result: first_result,
                    result_count: results.len() as u32,
                }
            );
            for point in &compiled.capture_points {
                self.point(point);
            }
            self.counts.functions += 1;
            firsts.push(first_point);
        }
        firsts
    }

    fn point(&mut self, point: &CapturePoint) {
        let row = self.points.row::<Row>();
        let words = point.values.iter().map(|ty| ty.words() as u32).sum();
        let (first_value, first_result) = (self.types(&point.values), self.types(&point.results));
        let table = &mut self.points;
        fields!(
            table,
            row,
            Row {
                kind: point.kind,
                first_value: first_value,
                value_count: point.values.len() as u32,
                first_result: first_result,
                result_count: point.results.len() as u32,
                words: words,
            }
        );
        self.counts.points += 1;
        self.counts.most_words = self.counts.most_words.max(words);
    }

    /// Where a list of types is.
    fn types(&mut self, list: &[ValueType]) -> u32 {
        if let Some(first) = self.known.get(list) {
            return *first;
        }
        let first = self.types.bytes.len() as u32;
        self.types.bytes.extend(list.iter().map(|ty| *ty as u8));
        self.known.insert(list.to_vec(), first);
        first
    }

    /// Adds the code of the next row of the module's function table. `first_points` are those of the
    /// functions, of which the first has the index `first`.
    pub(super) fn code(&mut self, code: &compile::Code, first: u32, first_points: &[u32]) {
        let row = self.code.row::<Code>();
        let table = &mut self.code;
        fields!(
            table,
            row,
            Code {
                first_native_point: self.counts.native_points,
                native_point_count: code.native_points.len() as u32
            }
        );
        for native_point in &code.native_points {
            let row = self.native_points.row::<NativePoint>();
            let table = &mut self.native_points;
            fields!(
                table,
                row,
                NativePoint {
                    offset: native_point.offset,
                    frame_size: native_point.frame_size,
                    point: first_points[(native_point.function - first) as usize]
                        + native_point.point,
                    entry: native_point.entry,
                }
            );
            self.counts.largest_frame = self.counts.largest_frame.max(native_point.frame_size);
        }
        self.counts.native_points += code.native_points.len() as u32;
        self.counts.code += 1;
    }

    /// The [`Frames`] of a module that imports `imported` functions, without its addresses.
    pub(super) fn head(&self, imported: u32, tail_calls: bool) -> Table {
        let mut head = Table::new();
        let row = head.row::<Frames>();
        fields!(
            head,
            row,
            Frames {
                magic: MAGIC,
                version: VERSION,
                function_count: self.counts.functions,
                first_function: imported,
                point_count: self.counts.points,
                type_count: self.types.bytes.len() as u32,
                native_point_count: self.counts.native_points,
                code_count: self.counts.code,
                largest_frame: self.counts.largest_frame,
                most_words: self.counts.most_words,
                tail_calls: u32::from(tail_calls),
            }
        );
        head
    }
}
