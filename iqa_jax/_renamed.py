"""Modules and names of version 0.1 and their new names since 0.2."""

from importlib.abc import MetaPathFinder

RENAMED = {
    f"iqa_jax.{old}": f"iqa_jax.{new}"
    for old, new in {
        "agreement.Agreement": "agreement.correlation.Agreement",
        "agreement.LogisticFit": "agreement.correlation.LogisticFit",
        "agreement.agreement": "agreement.correlation.agreement",
        "agreement.fit_logistic": "agreement.correlation.fit_logistic",
        "agreement.spearman": "agreement.correlation.spearman",
        "analysis": "agreement.analysis",
        "backbones.blocks": "backbones.layers",
        "breakdown": "agreement.groups",
        "capacity": "engine.capacity",
        "columns": "agreement.columns",
        "comparison": "metrics.features",
        "damage": "images.damage",
        "datasets.bapps": "datasets.adapters.bapps",
        "datasets.csiq": "datasets.adapters.csiq",
        "datasets.csv_table": "datasets.adapters.csv_table",
        "datasets.demo": "datasets.adapters.demo",
        "datasets.kadid10k": "datasets.adapters.kadid10k",
        "datasets.live": "datasets.adapters.live",
        "datasets.livemd": "datasets.adapters.livemd",
        "datasets.pieapp": "datasets.adapters.pieapp",
        "datasets.pipal": "datasets.adapters.pipal",
        "datasets.tfds_builder": "datasets.tfds.builder",
        "datasets.tfds_records": "datasets.tfds.records",
        "datasets.tfds_source": "datasets.tfds.source",
        "datasets.tid": "datasets.adapters.tid",
        "datasets.triplets": "datasets.adapters.bapps",
        "decoding": "images.decode",
        "doubts": "agreement.doubts",
        "evaluate": "programs.evaluate.evaluation",
        "exposure": "programs.evaluate.exposure",
        "extraction": "programs.extract.extraction",
        "forced_choice": "agreement.forced_choice",
        "images.BlockImages": "images.blocks.BlockImages",
        "images.CheckedImages": "images.checked.CheckedImages",
        "images.ImageFolder": "images.sources.ImageFolder",
        "images.ImageSource": "images.sources.ImageSource",
        "intervals": "agreement.intervals",
        "layer_choice": "agreement.layer_choice",
        "luminance": "images.luminance",
        "map_pictures": "programs.score.maps",
        "memory": "engine.memory",
        "metrics.levels": "metrics.gray",
        "metrics.loading": "metrics.registry",
        "metrics.ms_ssim": "metrics.multi_scale_similarity",
        "metrics.names": "metrics.registry",
        "metrics.pixel_comparison": "metrics.pixels",
        "metrics.psnr": "metrics.peak_signal_to_noise",
        "metrics.ssim": "metrics.structural_similarity",
        "normaliser": "programs.evaluate.normaliser",
        "numerics": "readouts.safe",
        "outputs": "programs.evaluate.tables",
        "pairing": "metrics.pair_function",
        "parallel": "engine.devices",
        "parts": "engine.parts",
        "pipeline": "engine.plan",
        "plots": "programs.evaluate.figure",
        "preprocess": "images.preprocess",
        "readouts.layers": "readouts.layer",
        "records": "programs.evaluate.run_record",
        "reduction": "metrics.layer_statistics",
        "relevance.Learned": "programs.train.training.Learned",
        "relevance.Settings": "programs.train.settings.TrainSettings",
        "relevance.comparison": "relevance.gains",
        "relevance.figure": "programs.train.figure",
        "relevance.folds": "relevance.cross_validation",
        "relevance.job": "programs.train.training",
        "relevance.outputs": "programs.train.tables",
        "relevance.people": "relevance.judgements",
        "relevance.report": "programs.train.report",
        "relevance.train_relevance": "programs.train.training.train_relevance",
        "report": "programs.evaluate.report",
        "resampling": "agreement.resampling",
        "resize": "images.resize",
        "samples": "images.samples",
        "score": "programs.score.scores",
        "score_files": "programs.score.files",
        "scoring": "engine.run",
        "selection": "programs.evaluate.selection",
        "settings": "programs.settings",
        "statistics": "readouts.statistics",
        "store": "engine.store",
        "stored_readouts": "programs.evaluate.from_store",
        "tables": "text",
        "verification": "programs.verify",
        "weights.archives": "weights.formats.zip_archive",
        "weights.contents": "weights.formats.budget",
        "weights.downloads": "weights.download",
        "weights.hdf5_files": "weights.formats.hdf5_file",
        "weights.numpy_files": "weights.formats.numpy_file",
        "weights.pickles": "weights.formats.numpy_pickle",
        "weights.readers": "weights.formats.reading",
        "weights.torch_files": "weights.formats.torch_file",
        "weights.torch_tensors": "weights.formats.torch_tensors",
        "weights.unpickling": "weights.formats.pickle_machine",
        "zoo.manifest": "zoo.listing",
        "zoo.models": "zoo.registry",
        "zoo.others": "zoo.keras",
        "zoo.own": "zoo.functions",
        "zoo.relevances": "zoo.perceptual",
        "zoo.table": "zoo.listing",
        "zoo.untrained": "zoo.random_weights",
    }.items()
}
"""Old dotted name to new dotted name. The entries that are not modules used to be in modules that
are now packages, where Python looks them up as submodules."""

SETTINGS = {
    "iqa_jax.evaluate": "iqa_jax.programs.evaluate.settings.EvaluateSettings",
    "iqa_jax.extraction": "iqa_jax.programs.extract.settings.ExtractSettings",
    "iqa_jax.relevance.job": "iqa_jax.programs.train.settings.TrainSettings",
    "iqa_jax.score": "iqa_jax.programs.score.settings.ScoreSettings",
}
"""New names of the classes formerly called ``Settings``, by their former modules."""


class RenamedFinder(MetaPathFinder):
    """Import hook of last resort, which names the successor of a former module."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        """Returns None: the module is not found.

        Raises:
          ImportError: If version 0.1 had a module of this name.
        """
        if new := RENAMED.get(fullname):
            settings = SETTINGS.get(fullname)
            also = f", its Settings are {settings}" if settings else ""
            raise ImportError(
                f"{fullname} is {new} since version 0.2.0{also}; iqa_jax._renamed.RENAMED lists "
                "all new names",
                name=fullname,
            )
