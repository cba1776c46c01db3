fn main() {
    let a: Vec<String> = std::env::args().collect();
    let w = std::fs::read(&a[1]).unwrap();
    std::fs::write(&a[2], linnet_codegen::exec_file(&w, true).unwrap()).unwrap();
}
