internal import Dispatch
internal import Foundation
internal import FuzzTargets
internal import Synchronization

/// The target that `FIRST_COME_FUZZ_TARGET` names; libFuzzer has the arguments to itself.
let chosenTarget: FuzzTarget = {
  let name = ProcessInfo.processInfo.environment["FIRST_COME_FUZZ_TARGET"] ?? ""
  let made = Mutex<FuzzTarget?>(nil)
  let done = DispatchSemaphore(value: 0)
  Task.detached {
    defer { done.signal() }
    let target = try await FuzzTarget.all().first { $0.name == name }
    made.withLock { $0 = target }
  }
  done.wait()
  guard let target = made.withLock({ $0 }) else { fatalError("there is no target '\(name)'") }
  return target
}()
