//! The kernel's header in the tree is what the tables say. `BLESS=1 cargo test -p linnet-abi`
//! writes it anew.

use linnet_abi::header::KernelHeader;
use std::path::Path;

#[test]
fn kernel_header_agrees_with_the_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../sysroot/linux/files/arch/wasm/include/asm/linnet_abi.h");
    let want = KernelHeader.to_string();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &want).expect("the header can be written");
    }
    let have = std::fs::read_to_string(&path).expect("the header is in the tree");
    assert!(have == want, "{} is stale: run BLESS=1 cargo test -p linnet-abi", path.display());
}
