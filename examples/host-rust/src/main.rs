//! A program of this machine with Debian's zlib in it, as translated WebAssembly.

mod zlib {
    include!(concat!(env!("ZLIB"), "/zlib.rs"));
}

use linnet_embed::{Imports, Result, Store};
use zlib::Exports;

/// A block of the library's memory.
struct Block {
    at: i32,
    size: usize,
}

fn block(zlib: &Exports, size: usize) -> Result<Block> {
    Ok(Block { at: zlib.malloc(size as i32)?, size })
}

fn write(zlib: &Exports, to: &Block, bytes: &[u8]) -> Result<()> {
    zlib.memory().write(u64::from(to.at as u32), bytes)
}

fn read_size(zlib: &Exports, from: &Block) -> Result<i32> {
    let mut bytes = [0; 4];
    zlib.memory().read(u64::from(from.at as u32), &mut bytes)?;
    Ok(i32::from_le_bytes(bytes))
}

fn main() -> Result<()> {
    let store = Store::new();
    // The compiler for the guest makes modules that import their memory.
    let imports = Imports::new().with_missing(&store, &zlib::module())?;
    let zlib = Exports::new(&store, &imports)?;

    let bytes: Vec<u8> = (0..100_000_usize)
        .map(|i| b"the quick brown fox "[(i * 7 + i / 100) % 20])
        .collect();
    let text = block(&zlib, bytes.len())?;
    let packed = block(&zlib, zlib.compressBound(bytes.len() as i32)? as usize)?;
    let size = block(&zlib, 4)?;
    write(&zlib, &text, &bytes)?;
    println!("{} bytes, CRC {:08x}", bytes.len(), zlib.crc32(0, text.at, bytes.len() as i32)?);

    write(&zlib, &size, &(packed.size as u32).to_le_bytes())?;
    let status = zlib.compress(packed.at, size.at, text.at, bytes.len() as i32)?;
    let packed_size = read_size(&zlib, &size)?;
    println!("compress: {status}, {packed_size} bytes");
    write(&zlib, &text, &vec![0; text.size])?;
    write(&zlib, &size, &(text.size as u32).to_le_bytes())?;
    let status = zlib.uncompress(text.at, size.at, packed.at, packed_size)?;
    println!("uncompress: {status}, CRC {:08x}", zlib.crc32(0, text.at, bytes.len() as i32)?);

    // A bug of the library would do this. The host only gets an error.
    if let Err(error) = zlib.crc32(0, -4096, bytes.len() as i32) {
        println!("{error}");
    }
    Ok(())
}
