/// What was built, and by what: the same for all three programs.
package enum ProgramVersion {
  /// As `--version` prints it.
  package static let number = "0.1.0"

  /// The release of the Swift compiler, major and minor.
  package static let compiler: String = {
    #if compiler(>=6.5)
      "6.5 or newer"
    #elseif compiler(>=6.4)
      "6.4"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }()
}
