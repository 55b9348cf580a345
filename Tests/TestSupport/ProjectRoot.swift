package import Foundation

/// The root of the repository, for tests that read its documents, scripts and migrations.
package enum ProjectRoot {
  package static let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
}
