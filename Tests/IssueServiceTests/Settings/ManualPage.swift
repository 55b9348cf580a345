import Foundation
import TestSupport

/// The text of a page of the repository.
func manualPage(_ path: String) throws -> String {
  let root = ProjectRoot.url
  return try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
}
