internal import FuzzTargets

/// What libFuzzer, which brings the main function, hands each input to. There is none of ours: the file is no `main.swift`,
/// and nothing bears `@main`.
///
/// https://llvm.org/docs/LibFuzzer.html#fuzz-target
@_cdecl("LLVMFuzzerTestOneInput")
func readOne(_ bytes: UnsafePointer<UInt8>?, _ length: Int) -> Int32 {
  chosenTarget.read(unsafe bytes.map { unsafe Array(UnsafeBufferPointer(start: $0, count: length)) } ?? [])
  return 0
}
