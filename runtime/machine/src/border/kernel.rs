//! The translated kernel, as the runtime sees it: entries and symbols, from the tables.

#![allow(non_camel_case_types, reason = "names are those of the tables")]

use linnet_abi::context::Context;
use linnet_abi::{for_each_kernel_entry, for_each_kernel_symbol};

type ptr = u32;

macro_rules! entries {
    ($($(#[doc = $doc:literal])* $name:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty)?;)*) => {
        unsafe extern "C" {
            $(
                $(#[doc = $doc])*
                #[link_name = concat!("linnet_kernel_", stringify!($name))]
                pub fn $name(context: *mut Context, $($arg: $ty),*) $(-> $ret)?;
            )*
        }
    };
}
for_each_kernel_entry!(entries);

macro_rules! symbols {
    ($($(#[doc = $doc:literal])* $name:ident;)*) => {
        /// A datum that the kernel exports.
        #[derive(Debug, Clone, Copy)]
        pub enum Symbol { $($(#[doc = $doc])* $name,)* }

        mod word {
            unsafe extern "C" {
                $(#[link_name = concat!("linnet_kernel_", stringify!($name))] pub static $name: u64;)*
            }
        }

        /// Address of a datum in the kernel's memory.
        pub fn symbol(symbol: Symbol) -> u32 {
            match symbol {
                // SAFETY: the translator emits a constant word for each.
                $(Symbol::$name => unsafe { word::$name as u32 },)*
            }
        }
    };
}
for_each_kernel_symbol!(symbols);
