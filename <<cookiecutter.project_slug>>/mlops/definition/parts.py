"""What the pipeline's steps are made of: SDK objects whose account, bucket, role, code and data are parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker.core import image_uris
from sagemaker.core.drift_check_baselines import DriftCheckBaselines
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, Step, TrainingStep
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, OutputDataConfig, SourceCode, StoppingCondition

from mlops.definition.parameters import HYPERPARAMETER, METADATA, Structure
from mlops.definition.sdk import ROLE, OfflineSession, place

PROCESSING = "/opt/ml/processing"
NEWEST = {"scikit-learn": "1.9-0", "xgboost": "3.2-0"}  # the versions in their patch window (November 2026)
IMAGES = {"scikit-learn": "sklearn", "xgboost": "xgboost"}


@dataclass(frozen=True)
class Parts:
    """What steps are made of; `model/steps.py` gets it too, to make steps of its own."""

    structure: Structure
    session: OfflineSession
    parameter: Mapping[str, ParameterString]

    def script_step(
        self, name: str, script: str, description: str, *, inputs: Mapping[str, Any], code: Any = None, **details: Any
    ) -> ProcessingStep:
        """Return a step that runs a script of model/ as a processing job.

        What requirements.txt names beside the script is installed first. `code` is what of model/ travels there;
        without it, everything. The rest is that of `processing_step`.
        """
        code = self.parameter["ModelCodeUri"] if code is None else code
        inputs = {"code": code, **inputs}
        return self.processing_step(name, f"{PROCESSING}/input/code/{script}", description, inputs=inputs, **details)

    def job_script_step(self, name: str, script: str, description: str, **details: Any) -> ProcessingStep:
        """Return a step that runs a script of mlops/jobs/. The rest is that of `processing_step`."""
        return self.processing_step(name, f"{PROCESSING}/input/jobs/{script}", description, **details)

    def processing_step(
        self,
        name: str,
        script: str,
        description: str,
        *,
        inputs: Mapping[str, Any],
        outputs: Sequence[str],
        options: Mapping[str, Any],
        flags: Sequence[Any] = (),
        variables: Mapping[str, Any] | None = None,
        property_files: Sequence[PropertyFile] = (),
        depends_on: Sequence[Step] = (),
    ) -> ProcessingStep:
        """Return a step that runs a script, named by its path in the container, as a processing job.

        mlops/jobs/start.py starts it, so that the job's exit message is the script's last word. `inputs` are S3 URIs;
        the script finds each in /opt/ml/processing/input/<name>, and leaves each of its `outputs` in
        /opt/ml/processing/output/<name>. `variables` become environment variables.
        """
        machine = self.structure.machines.get(name, self.structure.machines["Preprocess"])
        processor = Processor(
            role=self.parameter["JobRole"],
            image_uri=machine.image_uri or self.image(),
            instance_count=1,
            instance_type=self.parameter.get(f"{name}InstanceType", self.parameter["PreprocessInstanceType"]),
            entrypoint=["python3", f"{PROCESSING}/input/jobs/start.py", script],
            volume_size_in_gb=machine.volume_gb,
            max_runtime_in_seconds=60 * machine.max_minutes,
            output_kms_key=self.parameter["KmsKey"],
            env=dict(variables) if variables else None,
            sagemaker_session=self.session,
        )
        inputs = {"jobs": self.parameter["JobScriptsUri"], **inputs}
        request = processor.run(
            inputs=[
                ProcessingInput(
                    input_name=key,
                    s3_input=ProcessingS3Input(
                        s3_uri=uri,
                        local_path=f"{PROCESSING}/input/{key}",
                        s3_data_type="S3Prefix",
                        s3_input_mode="File",
                    ),
                )
                for key, uri in inputs.items()
            ],
            outputs=[
                ProcessingOutput(
                    output_name=key,
                    s3_output=ProcessingS3Output(
                        s3_uri=self.artifacts(name, key),
                        local_path=f"{PROCESSING}/output/{key}",
                        s3_upload_mode="EndOfJob",
                    ),
                )
                for key in outputs
            ],
            arguments=[*(word for option in options.items() for word in option), *flags],
        )
        return ProcessingStep(
            name,
            step_args=request,
            description=description,
            property_files=list(property_files),
            depends_on=list(depends_on) or None,
            cache_config=self.cache(),
            retry_policies=self.retries(),
        )

    def training_step(
        self, name: str, description: str, *, channels: Mapping[str, Any], depends_on: Sequence[Step] = ()
    ) -> TrainingStep:
        """Return the step that runs model/train.py as a training job, started by the SDK's own driver."""
        machine = self.structure.machines["Train"]
        trainer = ModelTrainer(
            training_image=self.training_image(),
            role=ROLE,
            sagemaker_session=self.session,
            base_job_name="train",
            source_code=SourceCode(
                source_dir=place("TrainCodeUri") + "/", entry_script="train.py", requirements="requirements.txt"
            ),
            compute=Compute(
                instance_type=self.parameter["TrainInstanceType"], instance_count=1, volume_size_in_gb=machine.volume_gb
            ),
            stopping_condition=StoppingCondition(max_runtime_in_seconds=60 * machine.max_minutes),
            hyperparameters={key: self.parameter[key] for key in self.structure.hyperparameters},
            output_data_config=OutputDataConfig(
                s3_output_path=self.artifacts(name), kms_key_id=self.parameter["KmsKey"]
            ),
        )
        request = trainer.train(
            input_data_config=[InputData(channel_name=key, data_source=uri) for key, uri in channels.items()]
        )
        return TrainingStep(
            name,
            step_args=request,
            description=description,
            depends_on=list(depends_on) or None,
            cache_config=self.cache(),
            retry_policies=self.retries(),
        )

    def hyperparameters(self) -> list[Join]:
        """Return an argument for each hyperparameter: one word, whatever its name and value are."""
        names = self.structure.hyperparameters
        return [Join(on="", values=[f"{HYPERPARAMETER}{name}=", self.parameter[name]]) for name in names]

    def register_step(
        self, name: str, description: str, *, model: Any, statistics: Any, baseline: Any, lineage: Any, metric: Any
    ) -> ModelStep:
        """Return the step that registers a version in the model package group of the environment.

        `statistics` (evaluation.json), `baseline` (baseline.json) and `lineage` are URIs. What the new model scored,
        and what its training rows looked like, is also what later ones are held against.
        """
        scores = MetricsSource(content_type="application/json", s3_uri=statistics)
        rows = MetricsSource(content_type="application/json", s3_uri=baseline)
        builder = ModelBuilder(
            image_uri=self.structure.serving_image_uri or self.image(),
            s3_model_data_url=model,
            role_arn=ROLE,
            sagemaker_session=self.session,
            env_vars={
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                "OMP_NUM_THREADS": "1",  # rows come one by one: threads would only wait for each other
            },
        )
        as_text = Join(on="", values=[metric])  # metadata are texts
        request = builder.register(
            model_package_group_name=self.parameter["ModelPackageGroup"],
            content_types=["text/csv", "application/json"],
            response_types=["application/json", "text/csv"],
            approval_status=self.parameter["ModelApprovalStatus"],
            model_metrics=ModelMetrics(model_statistics=scores),
            drift_check_baselines=DriftCheckBaselines(model_statistics=scores, model_data_statistics=rows),
            customer_metadata_properties={
                **{key: self.parameter[name] for key, name in METADATA.items()},
                "lineage_uri": lineage,
                "execution": ExecutionVariables.PIPELINE_EXECUTION_ID,
                f"metric_{self.structure.metric}": as_text,
            },
            sample_payload_url=self.parameter["SamplePayloadUri"],
            domain="MACHINE_LEARNING",
            task=self.structure.task.upper(),
        )
        return ModelStep(name, step_args=request, description=description, retry_policies=self.retries(jobs=False))

    def artifacts(self, *path: str) -> Join:
        """Return a place for the outputs of one execution."""
        return Join(on="/", values=[self.parameter["ArtifactsUri"], ExecutionVariables.PIPELINE_EXECUTION_ID, *path])

    def training_image(self) -> str:
        """Return the image that trains."""
        return self.structure.machines["Train"].image_uri or self.image()

    def image(self) -> str:
        """Return SageMaker's own image for the framework in the region."""
        framework = self.structure.framework
        version = self.structure.framework_version or NEWEST[framework]
        return str(image_uris.retrieve(IMAGES[framework], self.structure.region, version=version))

    def cache(self) -> CacheConfig | None:
        """Return how long SageMaker reuses a step whose code, data and arguments did not change."""
        days = self.structure.cache_days
        return CacheConfig(enable_caching=True, expire_after=f"P{days}D") if days else None

    def retries(self, *, jobs: bool = True) -> list[Any]:
        """Return how AWS's own trouble is met; a script that fails is never tried again."""
        attempts = self.structure.retries
        if not attempts:
            return []
        service = [StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING]
        job = [SageMakerJobExceptionTypeEnum.INTERNAL_ERROR, SageMakerJobExceptionTypeEnum.CAPACITY_ERROR]
        waits = {"interval_seconds": 30, "backoff_rate": 2.0, "max_attempts": attempts}
        policies: list[Any] = [StepRetryPolicy(exception_types=service, **waits)]
        return policies + ([SageMakerJobStepRetryPolicy(exception_types=job, **waits)] if jobs else [])
