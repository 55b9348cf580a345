internal import Foundation
internal import Glibc

/// A file system of its own for one test. Mounting needs root, or a sudo that does not ask.
package struct Mount: Sendable {
  package enum Failure: Error, CustomStringConvertible {
    case couldNot(String, String)

    package var description: String {
      switch self {
      case .couldNot(let what, let why):
        "\(what) did not work: \(why) (this test mounts file systems: run it as root, or allow sudo without a password)"
      }
    }
  }

  package let path: String

  package func path(_ name: String) -> String { path + "/" + name }

  /// Runs `body` on an empty file system in memory of so many bytes.
  package static func withMemory<Result: Sendable>(
    bytes: Int, in directory: ScratchDirectory, _ body: (Mount) async throws -> Result
  ) async throws -> Result {
    try await mounted(["-t", "tmpfs", "-o", "size=\(bytes),mode=0777", "none"], in: directory, body)
  }

  /// Makes an image with an empty ext4 of so many MiB.
  package static func makeImage(_ path: String, mebibytes: Int) async throws {
    try await asRoot("/usr/bin/truncate", "-s", "\(mebibytes)M", path)
    try await asRoot("/usr/sbin/mkfs.ext4", "-q", "-F", "-E", "root_owner=\(geteuid()):\(getegid())", path)
  }

  /// Runs `body` on the file system of an image, through a loop device that nobody has read through before.
  ///
  /// `mount -o loop` takes one again that still has a file of this inode, also a file that is deleted by now, and with it
  /// what it has in memory of that file. Devices stay as long as any mount namespace that was made meanwhile.
  package static func withImage<Result: Sendable>(
    _ image: String, in directory: ScratchDirectory, _ body: (Mount) async throws -> Result
  ) async throws -> Result {
    let device = try await asRoot("/usr/sbin/losetup", "--find", "--show", image).dropLast()
    do {
      let result = try await mounted(["\(device)"], in: directory, body)
      try await asRoot("/usr/sbin/losetup", "--detach", "\(device)")
      return result
    } catch {
      _ = try? await asRoot("/usr/sbin/losetup", "--detach", "\(device)")
      throw error
    }
  }

  private static func mounted<Result: Sendable>(
    _ arguments: [String], in directory: ScratchDirectory, _ body: (Mount) async throws -> Result
  ) async throws -> Result {
    let mount = Mount(path: directory.path("mount-\(UUID().uuidString)"))
    try FileManager.default.createDirectory(atPath: mount.path, withIntermediateDirectories: false)
    try await asRoot(["/usr/bin/mount"] + arguments + [mount.path])
    do {
      let result = try await body(mount)
      try await asRoot("/usr/bin/umount", mount.path)
      return result
    } catch {
      try await asRoot("/usr/bin/umount", "--lazy", mount.path)
      throw error
    }
  }

  /// Runs a program of the system to its end, as root.
  ///
  /// - Returns: its output.
  @discardableResult
  package static func asRoot(_ command: String...) async throws -> String { try await asRoot(command) }

  @discardableResult
  private static func asRoot(_ command: [String]) async throws -> String {
    let command = geteuid() == 0 ? command : ["/usr/bin/sudo", "-n"] + command
    let result = try await Program.system(command[0]).run(Array(command.dropFirst()))
    guard result.status == 0 else { throw Failure.couldNot(command.joined(separator: " "), result.errors) }
    return result.output
  }
}
