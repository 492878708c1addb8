"""Features of sound: waveforms, spectra, mel bands, and the extractors that checkpoints name."""
