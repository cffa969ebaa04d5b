"""The TensorFlow operators that a graph from a stranger may have.

A graph is a program: its operators read and write files, print, and run Python. Only those that
compute from their inputs are listed. What else a graph has is refused before TensorFlow sees it.
Constant folding runs operators even when a graph is only converted.
"""

from __future__ import annotations

ALLOWED = frozenset(
    operator
    for operators in (
        # Constants, inputs, variables
        """
        Const HostConst GuaranteeConst Placeholder PlaceholderV2
        PlaceholderWithDefault NoOp ControlTrigger VarHandleOp ReadVariableOp
        AssignVariableOp AssignAddVariableOp AssignSubVariableOp VarIsInitializedOp
        VariableShape Variable VariableV2 Assign AssignAdd AssignSub
        IsVariableInitialized DisableCopyOnRead ResourceGather ResourceGatherNd
        Identity IdentityN RefIdentity StopGradient PreventGradient Snapshot
        CheckNumerics EnsureShape Assert
        """,
        # Functions and control flow; the bodies are checked too
        """
        PartitionedCall StatefulPartitionedCall If StatelessIf While StatelessWhile
        Case StatelessCase Enter Exit Merge Switch NextIteration LoopCond RefEnter
        RefExit RefMerge RefSwitch RefNextIteration Fact FakeParam
        """,
        # Lists, arrays and tables in memory
        """
        TensorArrayV3 TensorArrayCloseV3 TensorArrayConcatV3 TensorArrayGatherV3
        TensorArrayReadV3 TensorArrayScatterV3 TensorArraySizeV3 TensorArraySplitV3
        TensorArrayWriteV3 EmptyTensorList TensorListConcat TensorListConcatLists
        TensorListConcatV2 TensorListElementShape TensorListFromTensor
        TensorListGather TensorListGetItem TensorListLength TensorListPopBack
        TensorListPushBack TensorListReserve TensorListResize TensorListScatter
        TensorListScatterV2 TensorListSetItem TensorListSplit TensorListStack
        StackV2 StackPushV2 StackPopV2 StackCloseV2 HashTable HashTableV2
        LookupTableFind LookupTableFindV2 LookupTableImport LookupTableImportV2
        LookupTableSize LookupTableSizeV2 LookupTableExportV2 InitializeTable
        InitializeTableV2
        """,
        # Shapes
        """
        Shape ShapeN Size Rank Reshape Squeeze ExpandDims Transpose
        ConjugateTranspose BroadcastArgs BroadcastGradientArgs BroadcastTo Tile Pad
        PadV2 MirrorPad Pack Unpack ParallelConcat Concat ConcatV2 ConcatOffset
        Split SplitV Slice StridedSlice StridedSliceGrad Gather GatherV2 GatherNd
        ScatterNd ScatterNdNonAliasingAdd TensorScatterAdd TensorScatterMax
        TensorScatterMin TensorScatterSub TensorScatterUpdate
        TensorStridedSliceUpdate DynamicPartition DynamicStitch
        ParallelDynamicStitch Reverse ReverseV2 ReverseSequence Roll Fill ZerosLike
        OnesLike Empty Range LinSpace OneHot Where Select SelectV2 InvertPermutation
        Unique UniqueV2 UniqueWithCounts UniqueWithCountsV2 ListDiff Bitcast Cast
        Diag DiagPart MatrixBandPart MatrixDiag MatrixDiagPart MatrixDiagPartV2
        MatrixDiagPartV3 MatrixDiagV2 MatrixDiagV3 MatrixSetDiag MatrixSetDiagV2
        MatrixSetDiagV3 BatchToSpace BatchToSpaceND SpaceToBatch SpaceToBatchND
        DepthToSpace SpaceToDepth ExtractImagePatches UnravelIndex Bucketize
        LowerBound UpperBound
        """,
        # Arithmetic
        """
        Abs Add AddN AddV2 AccumulateNV2 Sub Mul MulNoNan Div DivNoNan RealDiv
        TruncateDiv FloorDiv FloorMod TruncateMod Mod Neg Reciprocal Inv Sign Pow
        Square SquaredDifference Sqrt Rsqrt Exp Expm1 Log Log1p Xdivy Xlogy Xlog1py
        Sin Cos Tan Asin Acos Atan Atan2 Sinh Cosh Tanh Asinh Acosh Atanh Erf Erfc
        Erfinv Lgamma Digamma Ceil Floor Round Rint Maximum Minimum ClipByValue
        Cumsum Cumprod CumulativeLogsumexp Complex Real Imag Conj ComplexAbs Angle
        Equal NotEqual ApproximateEqual Greater GreaterEqual Less LessEqual
        LogicalAnd LogicalNot LogicalOr BitwiseAnd BitwiseOr BitwiseXor Invert
        LeftShift RightShift IsFinite IsInf IsNan ToBool L2Loss Cross
        """,
        # Reductions
        """
        Sum Mean Prod Max Min All Any EuclideanNorm ArgMax ArgMin TopK TopKV2
        ApproxTopK NthElement InTopK InTopKV2 Bincount DenseBincount
        HistogramFixedWidth SegmentMax SegmentMean SegmentMin SegmentProd SegmentSum
        UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd UnsortedSegmentSum
        SparseSegmentSum SparseSegmentMean SparseToDense SparseReshape
        SparseFillEmptyRows SparseTensorDenseMatMul
        """,
        # Matrices
        """
        MatMul BatchMatMul BatchMatMulV2 BatchMatMulV3 SparseMatMul Einsum
        MatrixInverse MatrixDeterminant MatrixSolve MatrixTriangularSolve Cholesky
        Qr Svd SelfAdjointEigV2
        """,
        # Networks
        """
        Conv Conv2D Conv3D Conv2DBackpropInput Conv3DBackpropInputV2
        DepthwiseConv2dNative DepthwiseConv2dNativeBackpropInput Dilation2D BiasAdd
        BiasAddV1 AvgPool AvgPool3D MaxPool MaxPoolV2 MaxPool3D MaxPoolWithArgmax
        FractionalAvgPool FractionalMaxPool FusedBatchNorm FusedBatchNormV2
        FusedBatchNormV3 BatchNormWithGlobalNormalization LRN FusedPadConv2D
        FusedResizeAndPadConv2D Relu Relu6 LeakyRelu Elu Selu Softplus Softsign
        Sigmoid Softmax LogSoftmax LSTMBlockCell BlockLSTM BlockLSTMV2 GRUBlockCell
        """,
        # Quantization
        """
        Dequantize QuantizeV2 QuantizeAndDequantize QuantizeAndDequantizeV2
        QuantizeAndDequantizeV3 QuantizeAndDequantizeV4 FakeQuantWithMinMaxArgs
        FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel Requantize
        RequantizationRange QuantizeDownAndShrinkRange QuantizedConv2D
        QuantizedDepthwiseConv2D QuantizedBiasAdd QuantizedRelu QuantizedRelu6
        QuantizedMaxPool QuantizedAvgPool QuantizedMatMul QuantizedAdd QuantizedMul
        QuantizedConcat QuantizedReshape QuantizedResizeBilinear
        """,
        # Images and boxes
        """
        CropAndResize CombinedNonMaxSuppression NonMaxSuppression
        NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionV4
        NonMaxSuppressionV5 NonMaxSuppressionWithOverlaps
        GenerateBoundingBoxProposals ResizeArea ResizeBicubic ResizeBilinear
        ResizeNearestNeighbor ScaleAndTranslate ImageProjectiveTransformV2
        ImageProjectiveTransformV3 ExtractGlimpse ExtractGlimpseV2 AdjustContrastv2
        AdjustHue AdjustSaturation RGBToHSV HSVToRGB DrawBoundingBoxes
        DrawBoundingBoxesV2 DecodeImage DecodeJpeg DecodeAndCropJpeg DecodePng
        DecodeBmp DecodeGif ExtractJpegShape EncodeJpeg EncodePng
        """,
        # Text in memory
        """
        AsString StringJoin StringLength StringLower StringUpper StringStrip
        StringSplit StringSplitV2 StringFormat StringToNumber StringToHashBucketFast
        Substr StaticRegexFullMatch StaticRegexReplace RegexFullMatch RegexReplace
        ReduceJoin ShardedFilename DecodeRaw DecodePaddedRaw DecodeBase64
        EncodeBase64 ParseExample ParseExampleV2 ParseSingleExample ParseTensor
        SerializeTensor
        """,
        # Random numbers
        """
        RandomStandardNormal RandomUniform RandomUniformInt RandomShuffle
        TruncatedNormal StatelessRandomGetAlg StatelessRandomGetKeyCounter
        StatelessRandomNormal StatelessRandomNormalV2 StatelessRandomUniform
        StatelessRandomUniformInt StatelessRandomUniformIntV2
        StatelessRandomUniformV2 StatelessTruncatedNormal StatelessTruncatedNormalV2
        """,
        # TFLite's post-processing, which TensorFlow itself lacks
        """
        TFLite_Detection_PostProcess
        """,
    )
    for operator in operators.split()
)

# They read and write checkpoints. Every SavedModel with variables has them, in functions for its
# own saving and restoring, which loading does not call.
CHECKPOINT = frozenset(("SaveV2", "RestoreV2", "MergeV2Checkpoints"))
