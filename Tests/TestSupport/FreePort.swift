internal import Glibc
internal import Synchronization

/// A port for a test that listens, stops and listens again at the same address.
package enum FreePort {
  package struct NoneFree: Error {}

  /// Those that were found: a test may not listen at once, and another must not find the same meanwhile.
  private static let found = Mutex<Set<Int>>([])

  /// Finds a TCP port of 127.0.0.1 on which nobody listens, below those that the kernel gives to connections and to
  /// listeners that leave the choice to it: none of them takes it meanwhile.
  package static func find() throws -> Int {
    for port in (20_000..<32_000).shuffled() {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = in_port_t(port).bigEndian
      address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
      let size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let result = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, size) }
      }
      if result == 0, found.withLock({ $0.insert(port).inserted }) { return port }
    }
    throw NoneFree()
  }
}
