import BasisCore
import BasisFormats

/// What is told about what a method found: as text, as JSON, as a picture.
protocol MethodReport {
  func json(seconds: Double) -> JSONValue
  func text(_ input: String, seconds: Double) -> String
  func chart(_ input: String) -> Chart
}

extension MethodReport {
  /// Draws the picture where one is asked for, and prints the rest as the options say.
  func tell(
    of input: String, seconds: Double, picture: OutputFile?, _ output: OutputOptions
  ) throws(BasisError) {
    if let picture {
      try picture.write(chart(input).svg)
      try picture.finish()
    }
    if output.json {
      try output.print(json: json(seconds: seconds))
    } else {
      try writeToStandardOutput(text(input, seconds: seconds))
    }
  }
}
